-- Executes a statement under a short lock_timeout, again and again. A failed try is rolled back, and holds no lock.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   statement       of the user's; what is in it has its schema
--   lock_timeout    as PostgreSQL takes it
--   attempts        tries altogether
--   first_pause     seconds; twice as long after each try
--   longest_pause   seconds
--   users_path      the search path as the user has it
    tries integer := 0;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    PERFORM set_config('lock_timeout', lock_timeout, true);
    LOOP
        BEGIN
            PERFORM pg_catalog.set_config('search_path', users_path, true);
            EXECUTE statement;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            tries := tries + 1;
            IF tries = attempts THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(least(first_pause * 2 ^ least(tries - 1, 10), longest_pause));
        END;
    END LOOP;
    PERFORM set_config('search_path', users_path, true);
END
