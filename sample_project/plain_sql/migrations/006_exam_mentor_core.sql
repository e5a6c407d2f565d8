-- Exam mentor: users, their study sessions, topics and misconceptions.
create table users (
  id uuid primary key default gen_random_uuid(),
  email text not null unique,
  created_at timestamptz not null default now()
);

create table study_sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references users (id) on delete cascade,
  exam_type text not null,
  current_state text not null default 'INTAKE',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  metadata jsonb
);
create index idx_study_sessions_user_id on study_sessions (user_id);

create table topics (
  id uuid primary key default gen_random_uuid(),
  session_id uuid references study_sessions (id) on delete cascade,
  name text not null,
  status text default 'pending',
  mastery_score integer default 0
);
create index idx_topics_session_id on topics (session_id);

create table misconceptions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references users (id) on delete cascade,
  topic_id uuid references topics (id) on delete cascade,
  description text,
  detected_at timestamptz not null default now()
);
create index idx_misconceptions_user_id on misconceptions (user_id);
