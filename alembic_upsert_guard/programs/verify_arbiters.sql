-- Refuses a table whose planner infers no arbiter for a conflict target, or one that is deferrable.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   key_label      the key as messages name it
--   relation_name  the table, quoted
--   upsert         EXPLAIN (FORMAT JSON) of an upsert on the key; without an arbiter it fails itself, with 42P10
--   users_path     the search path as the user has it
    relation CONSTANT pg_catalog.regclass := relation_name::pg_catalog.regclass;
    plan pg_catalog.json;
BEGIN
    PERFORM pg_catalog.set_config('search_path', users_path, true);
    EXECUTE upsert INTO plan;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF EXISTS (
        SELECT FROM json_array_elements_text(plan -> 0 -> 'Plan' -> 'Conflict Arbiter Indexes') AS arbiter(name)
        JOIN pg_class c ON c.relname = arbiter.name
        JOIN pg_index i ON i.indexrelid = c.oid AND i.indrelid = relation
        WHERE NOT i.indimmediate
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = key_label || ' has a deferrable arbiter: ON CONFLICT fails on it';
    END IF;
    PERFORM set_config('search_path', users_path, true);
END
