-- Brings back the rows that were moved to an archive for the sake of one key.
--
-- The body of an anonymous block; above it stand its parameters, each a constant:
--   told           the key as people are told of it; the reason in the archive
--   relation_name  the table, quoted
--   archive        the archive table, quoted where it must be
    relation CONSTANT regclass := relation_name::regclass;
    columns text;
    counted bigint := 0;
    taken bigint;
    is_left boolean;
BEGIN
    IF to_regclass(archive) IS NOT NULL THEN
        SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) INTO columns
        FROM pg_attribute a
        JOIN pg_attribute b ON b.attrelid = to_regclass(archive) AND b.attname = a.attname AND b.attnum > 0
             AND NOT b.attisdropped
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        EXECUTE format(
            'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s WHERE upsert_guard_reason = %L',
            relation, columns, columns, archive, told);
        GET DIAGNOSTICS counted = ROW_COUNT;
        EXECUTE format('DELETE FROM %s WHERE upsert_guard_reason = %L', archive, told);
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF counted <> taken THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = told || ' cannot be restored: a trigger or rule of ' || relation || ' took ' || counted || ' of '
                    || taken || ' rows; nothing was changed';
        END IF;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', archive) INTO is_left;
        IF NOT is_left THEN
            EXECUTE format('DROP TABLE %s', archive);
        END IF;
    END IF;
    PERFORM set_config('upsert_guard.result', jsonb_build_object('rows', counted, 'repointed', '{}'::jsonb)::text, true);
    RAISE NOTICE '%: % rows restored from %', told, counted, archive;
END
