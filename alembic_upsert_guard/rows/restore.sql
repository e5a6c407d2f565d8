-- Brings back the rows that were moved to an archive for the sake of one key.
--
-- The body of an anonymous block; above it stand its parameters, each a constant:
--   told           the key as people are told of it; the reason in the archive
--   relation_name  the table, quoted
--   archive        the archive table, quoted where it must be
    relation CONSTANT regclass := relation_name::regclass;
    columns text;
    lost text;
    counted bigint := 0;
    taken bigint;
    changed bigint;
    is_left boolean;
    deferred record;
BEGIN
    IF to_regclass(archive) IS NOT NULL THEN
        SELECT string_agg(format('%I', b.attname), ', ') INTO lost
        FROM pg_attribute b
        WHERE b.attrelid = to_regclass(archive) AND b.attnum > 0 AND NOT b.attisdropped
          AND b.attname <> ALL (ARRAY['upsert_guard_archived_at', 'upsert_guard_reason', 'upsert_guard_kept'])
          AND b.attname NOT IN (SELECT a.attname FROM pg_attribute a
                                WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped);
        IF lost IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = told || ' cannot be restored: ' || relation || ' lacks ' || lost || ', which ' || archive
                    || ' has; add it above, or take it out of the archive';
        END IF;
        SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) INTO columns
        FROM pg_attribute a
        JOIN pg_attribute b ON b.attrelid = to_regclass(archive) AND b.attname = a.attname AND b.attnum > 0
             AND NOT b.attisdropped
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        -- a trigger may change a row on its way, and the archive is the one place that knows it as it was
        EXECUTE format(
            'WITH restored AS (INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE '
            'SELECT %2$s FROM %3$s WHERE upsert_guard_reason = %4$L RETURNING %2$s) '
            'SELECT (SELECT count(*) FROM restored), (SELECT count(*) FROM ('
            'SELECT ROW(%2$s)::text FROM restored EXCEPT ALL '
            'SELECT ROW(%2$s)::text FROM %3$s WHERE upsert_guard_reason = %4$L) AS other)',
            relation, columns, archive, told) INTO counted, changed;
        EXECUTE format('DELETE FROM %s WHERE upsert_guard_reason = %L', archive, told);
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF counted <> taken OR changed > 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = told || ' cannot be restored: a trigger or rule of ' || relation || ' took ' || counted || ' of '
                    || taken || ' rows and changed ' || changed || '; nothing was changed';
        END IF;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', archive) INTO is_left;
        IF NOT is_left THEN
            EXECUTE format('DROP TABLE %s', archive);
        END IF;
        -- what is checked at the end of the transaction is checked now: pending checks would keep DDL away
        FOR deferred IN
            SELECT DISTINCT n.nspname, con.conname FROM pg_constraint con JOIN pg_namespace n ON n.oid = con.connamespace
            WHERE con.condeferred AND counted > 0 AND (con.conrelid = relation OR con.confrelid = relation)
        LOOP
            EXECUTE format('SET CONSTRAINTS %I.%I IMMEDIATE', deferred.nspname, deferred.conname);
            EXECUTE format('SET CONSTRAINTS %I.%I DEFERRED', deferred.nspname, deferred.conname);
        END LOOP;
    END IF;
    PERFORM set_config('upsert_guard.result', jsonb_build_object('rows', counted, 'repointed', '{}'::jsonb)::text, true);
    RAISE NOTICE '%: % rows restored from %', told, counted, archive;
END
