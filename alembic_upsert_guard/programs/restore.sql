-- Brings back the rows that were moved to an archive for the sake of one key.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   key_label      the key as messages name it; the reason in the archive
--   relation_name  the table, quoted
--   archive        the archive table, quoted where it must be
--   users_path     the search path as the user has it
    relation CONSTANT pg_catalog.regclass := relation_name::pg_catalog.regclass;
    relation_label CONSTANT pg_catalog.text := relation::pg_catalog.text;
    archive_relation CONSTANT pg_catalog.regclass := pg_catalog.to_regclass(archive);
    columns pg_catalog.text;
    lost pg_catalog.text;
    statement pg_catalog.text;
    counted bigint := 0;
    taken bigint;
    changed bigint;
    is_left boolean;
    deferred pg_catalog.record;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF archive_relation IS NOT NULL THEN
        SELECT string_agg(format('%I', b.attname), ', ') INTO lost
        FROM pg_attribute b
        WHERE b.attrelid = archive_relation AND b.attnum > 0 AND NOT b.attisdropped
          AND b.attname <> ALL (ARRAY['upsert_guard_archived_at', 'upsert_guard_reason', 'upsert_guard_kept'])
          AND b.attname NOT IN (SELECT a.attname FROM pg_attribute a
                                WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped);
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be restored: ' || relation_label || ' lacks ' || lost || ', which ' || archive
                    || ' has; add it above, or take it out of the archive';
        END IF;
        SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) INTO columns
        FROM pg_attribute a
        JOIN pg_attribute b ON b.attrelid = archive_relation AND b.attname = a.attname AND b.attnum > 0
             AND NOT b.attisdropped
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        -- a trigger may change a row on its way, and the archive is the one place that knows it as it was
        statement := format(
            'WITH restored AS (INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE '
            'SELECT %2$s FROM %3$s WHERE upsert_guard_reason OPERATOR(pg_catalog.=) %4$L RETURNING %2$s) '
            'SELECT (SELECT pg_catalog.count(*) FROM restored), (SELECT pg_catalog.count(*) FROM ('
            'SELECT ROW(%2$s)::pg_catalog.text FROM restored EXCEPT ALL '
            'SELECT ROW(%2$s)::pg_catalog.text FROM %3$s WHERE upsert_guard_reason OPERATOR(pg_catalog.=) %4$L) AS other)',
            relation, columns, archive_relation, key_label);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement INTO counted, changed;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        statement := format('DELETE FROM %s WHERE upsert_guard_reason OPERATOR(pg_catalog.=) %L', archive_relation, key_label);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement;
        GET DIAGNOSTICS taken = ROW_COUNT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF counted <> taken OR changed > 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be restored: a trigger or rule of ' || relation_label || ' took ' || counted || ' of '
                    || taken || ' rows and changed ' || changed || '; nothing was changed';
        END IF;
        statement := format('SELECT EXISTS (SELECT FROM %s)', archive_relation);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement INTO is_left;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF NOT is_left THEN
            EXECUTE format('DROP TABLE %s', archive_relation);
        END IF;
        -- what is checked at the end of the transaction is checked now: pending checks would keep DDL away
        FOR deferred IN
            SELECT DISTINCT n.nspname, con.conname FROM pg_constraint con JOIN pg_namespace n ON n.oid = con.connamespace
            WHERE con.condeferred AND counted > 0 AND (con.conrelid = relation OR con.confrelid = relation)
        LOOP
            statement := format('SET CONSTRAINTS %I.%I ', deferred.nspname, deferred.conname);
            PERFORM set_config('search_path', users_path, true);
            EXECUTE pg_catalog.concat(statement, 'IMMEDIATE');
            EXECUTE pg_catalog.concat(statement, 'DEFERRED');
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        END LOOP;
    END IF;
    PERFORM set_config('upsert_guard.result', jsonb_build_object('rows', counted, 'repointed', '{}'::jsonb)::text, true);
    RAISE NOTICE '%: % rows restored from %', key_label, counted, archive;
    PERFORM set_config('search_path', users_path, true);
END
