// System 4: the last page of the onboarding. The upsert is in the function, migrations/005_onboarding.sql.

import type { SupabaseClient } from '@supabase/supabase-js';

export async function finalizeOnboarding(
  supabase: SupabaseClient,
  authUserId: string,
  displayName: string,
): Promise<void> {
  const { error } = await supabase.rpc('finalize_onboarding', {
    p_auth_user_id: authUserId,
    p_display_name: displayName,
  });
  if (error) throw error;
}
