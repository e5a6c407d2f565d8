-- Exam mentor: chats and quizzes; row level security with open policies.
create table tutor_chats (
  id uuid primary key default gen_random_uuid(),
  user_id text not null,
  topic_id text not null,
  messages jsonb not null default '[]',
  explanation text,
  last_updated timestamptz not null default now(),
  unique (user_id, topic_id)
);
create index idx_tutor_chats_user_topic on tutor_chats (user_id, topic_id);

create table quizzes (
  id uuid primary key default gen_random_uuid(),
  user_id text not null,
  topic_id text not null,
  questions jsonb not null,
  created_at timestamptz not null default now()
);
create index idx_quizzes_user_topic on quizzes (user_id, topic_id);

alter table tutor_chats enable row level security;
alter table quizzes enable row level security;
create policy "Open to all" on tutor_chats for all using (true) with check (true);
create policy "Open to all" on quizzes for all using (true) with check (true);
