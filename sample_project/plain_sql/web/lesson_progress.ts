// System 2: the page of a lesson notes when a person first opened it.

import type { SupabaseClient } from '@supabase/supabase-js';

type LessonProgress = { user_id: string; lesson_id: string; started_at: string };

// As it stood, the look. The page keeps the answer for as long as it is open.
export async function findProgress(
  supabase: SupabaseClient,
  userId: string,
  lessonId: string,
): Promise<LessonProgress | null> {
  const { data } = await supabase
    .from('lesson_progress')
    .select('user_id, lesson_id, started_at')
    .eq('user_id', userId)
    .eq('lesson_id', lessonId)
    .maybeSingle();
  return data;
}

// As it stood, the insert. A second tab inserts first, and this one is answered 409 for ever.
export async function startLessonUnlessFound(
  supabase: SupabaseClient,
  userId: string,
  lessonId: string,
  found: LessonProgress | null,
): Promise<void> {
  if (found) return;
  const { error } = await supabase
    .from('lesson_progress')
    .insert({ user_id: userId, lesson_id: lessonId, started_at: new Date().toISOString() });
  if (error) throw error;
}

// As it was mended: insert if absent, leave as it is if present.
export async function startLesson(
  supabase: SupabaseClient,
  userId: string,
  lessonId: string,
): Promise<void> {
  const { error } = await supabase
    .from('lesson_progress')
    .upsert(
      { user_id: userId, lesson_id: lessonId, started_at: new Date().toISOString() },
      { onConflict: 'user_id,lesson_id', ignoreDuplicates: true },
    );
  if (error) throw error;
}
