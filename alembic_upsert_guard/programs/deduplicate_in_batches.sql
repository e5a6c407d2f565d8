-- Leaves one row of each key in transactions of a few surplus rows each, by the procedure upsert_guard_deduplicate.
--
-- The body of a procedure that is called outside a transaction; its parameters are declared above it, those of
-- deduplicate.sql and:
--   pause          seconds between two batches
--   max_lag        seconds that a standby may be behind when a batch begins; NULL: nobody looks
--   rounds         times that all rows are read, at most
--   lock_timeout   of a batch, as PostgreSQL takes it
--   attempts       tries of a batch, altogether
-- A COMMIT ends every setting of a transaction, so the search path is that of the user's: nothing here is looked up by it.
    relation pg_catalog.text; -- with its schema
    batches bigint;
    surplus_rows bigint;
    done bigint := 0;
    tries integer;
    is_over boolean := false;
    is_reported boolean;
    receivers pg_catalog.record;
    mark pg_catalog.pg_lsn; -- where the log ended, some time ago, and a standby has not been since
    noted pg_catalog.timestamptz;
BEGIN
    COMMIT; -- refused in a transaction
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) INTO STRICT relation
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE c.oid OPERATOR(pg_catalog.=) CAST(relation_name AS pg_catalog.regclass);
    COMMIT; -- or no isolation level can be set
    FOR round IN 1..rounds LOOP
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        CALL pg_temp.upsert_guard_deduplicate(
            key_label => key_label, relation_name => relation, elements => elements, condition => condition,
            ordering => ordering, direction => direction, archive => archive, repoint => repoint,
            form => 'plan', batch_size => batch_size, batch_number => CAST(0 AS bigint));
        surplus_rows := CAST(pg_catalog.jsonb_extract_path_text(
            CAST(pg_catalog.current_setting('upsert_guard.result') AS pg_catalog.jsonb), 'rows') AS bigint);
        batches := CAST(pg_catalog.jsonb_extract_path_text(
            CAST(pg_catalog.current_setting('upsert_guard.result') AS pg_catalog.jsonb), 'batches') AS bigint);
        COMMIT;
        is_over := surplus_rows OPERATOR(pg_catalog.=) 0;
        EXIT WHEN is_over;
        FOR number IN 1..batches LOOP
            is_reported := false;
            WHILE max_lag IS NOT NULL LOOP
                SELECT pg_catalog.bool_or(state IS NULL) AS are_hidden,
                       pg_catalog.min(coalesce(replay_lsn, flush_lsn, write_lsn)) AS reached,
                       coalesce(pg_catalog.max(CAST(extract(epoch FROM coalesce(replay_lag, flush_lag, write_lag))
                                                    AS pg_catalog.float8)), 0) AS seconds
                INTO receivers FROM pg_catalog.pg_stat_replication
                WHERE state IS NULL OR state OPERATOR(pg_catalog.=) 'streaming' OR state OPERATOR(pg_catalog.=) 'catchup';
                IF receivers.are_hidden THEN
                    RAISE EXCEPTION USING ERRCODE = 'UG001',
                        MESSAGE = pg_catalog.concat(key_label, ': max_lag cannot be kept: this role may not see how far the '
                                                    'standbys are behind; GRANT pg_monitor to it');
                END IF;
                IF (receivers.reached OPERATOR(pg_catalog.>=) mark) IS NOT FALSE THEN
                    mark := NULL; -- it was there, or there is none
                END IF;
                EXIT WHEN receivers.seconds OPERATOR(pg_catalog.<=) max_lag AND (
                    mark IS NULL OR CAST(extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) noted)
                                             AS pg_catalog.float8) OPERATOR(pg_catalog.<=) max_lag);
                IF NOT is_reported THEN
                    RAISE NOTICE '%: waits for a standby that is more than % s behind', key_label, max_lag;
                    is_reported := true;
                END IF;
                COMMIT;
                PERFORM pg_catalog.pg_sleep(1);
            END LOOP;
            COMMIT;
            tries := 0;
            LOOP
                SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                BEGIN
                    PERFORM pg_catalog.set_config('lock_timeout', lock_timeout, true);
                    CALL pg_temp.upsert_guard_deduplicate(
                        key_label => key_label, relation_name => relation, elements => elements,
                        condition => condition, ordering => ordering, direction => direction, archive => archive,
                        repoint => repoint, form => 'batch', batch_size => batch_size,
                        batch_number => CAST(number AS bigint));
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
                    tries := tries OPERATOR(pg_catalog.+) 1;
                    IF tries OPERATOR(pg_catalog.=) attempts THEN
                        RAISE;
                    END IF;
                END;
                COMMIT;
                PERFORM pg_catalog.pg_sleep(1);
                COMMIT;
            END LOOP;
            done := done OPERATOR(pg_catalog.+) CAST(pg_catalog.jsonb_extract_path_text(
                CAST(pg_catalog.current_setting('upsert_guard.result') AS pg_catalog.jsonb), 'rows') AS bigint);
            COMMIT;
            IF max_lag IS NOT NULL AND mark IS NULL THEN
                mark := pg_catalog.pg_current_wal_flush_lsn();
                noted := pg_catalog.clock_timestamp();
            END IF;
            PERFORM pg_catalog.pg_sleep(pause);
            COMMIT;
        END LOOP;
    END LOOP;
    IF NOT is_over THEN
        RAISE WARNING '%: duplicate rows still arrive, all rows were read % times', key_label, rounds;
    END IF;
    RAISE NOTICE '%: % surplus rows %', key_label, done,
        CASE WHEN archive IS NULL THEN 'deleted' ELSE pg_catalog.concat('moved to ', archive) END;
    DROP TABLE pg_temp.upsert_guard_list, pg_temp.upsert_guard_locked, pg_temp.upsert_guard_surplus;
    PERFORM pg_catalog.set_config('upsert_guard.deduplicated', key_label, false);
END
