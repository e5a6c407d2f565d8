-- One row a person and lesson.
create table lesson_progress (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  lesson_id text not null,
  is_completed boolean not null default false,
  started_at timestamptz not null default now(),
  unique (user_id, lesson_id)
);
