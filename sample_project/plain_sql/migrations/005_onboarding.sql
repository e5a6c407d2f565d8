-- Profiles, and the function that ends an onboarding; the page calls it over RPC.
create table profiles (
  id uuid primary key default gen_random_uuid(),
  auth_user_id uuid not null,
  display_name text,
  onboarded_at timestamptz,
  created_at timestamptz not null default now()
);

create function finalize_onboarding(p_auth_user_id uuid, p_display_name text)
returns uuid
language plpgsql
as $$
declare
  profile_id uuid;
begin
  insert into profiles (auth_user_id, display_name, onboarded_at)
  values (p_auth_user_id, p_display_name, now())
  on conflict (auth_user_id) do update set
    display_name = excluded.display_name,
    onboarded_at = excluded.onboarded_at
  returning id into profile_id;
  return profile_id;
end;
$$;
