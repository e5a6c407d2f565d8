-- The questions that a person got wrong.
create table user_mistakes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  question_id integer not null,
  times_wrong integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
