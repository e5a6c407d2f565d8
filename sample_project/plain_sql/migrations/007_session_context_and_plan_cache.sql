-- Exam mentor: a session remembers its context, plans are cached for a day.
alter table study_sessions
  add column current_context jsonb default '{}',
  add column agent_history jsonb[] default '{}';

create table plan_cache (
  id uuid primary key default gen_random_uuid(),
  cache_key text not null unique,
  plan jsonb not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz default now() + interval '24 hours'
);
create index idx_plan_cache_key on plan_cache (cache_key);
