-- Refuses where a deduplication in batches did not come to its end in this session.
--
-- The body of a procedure; its parameters are declared above it:
--   key_label   the key as messages name it
--   users_path  the search path as the user has it
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF current_setting('upsert_guard.deduplicated', true) IS DISTINCT FROM key_label THEN
        RAISE EXCEPTION USING ERRCODE = 'UG001',
            MESSAGE = key_label || ' was not deduplicated to the end: the version was not written. Run the script again, '
                || 'and it resumes';
    END IF;
    PERFORM set_config('search_path', users_path, true);
END
