-- Refuses rows that break a key, with the message of the check online, and changes nothing.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   key_label      the key as messages name it
--   relation_name  the table, quoted
--   elements       SQL of each element of the key
--   predicate      SQL of the rows that the key is about; NULL: every row
--   nulls          what NULL means: warn, distinct, not_distinct or forbid
--   listing        the SELECT that lists every offending row
--   users_path     the search path as the user has it
    relation CONSTANT pg_catalog.regclass := relation_name::pg_catalog.regclass;
    name pg_catalog.text; -- of the table, without its schema
    qualified pg_catalog.text;
    partition_key pg_catalog.text;
    has_children boolean;
    hides_rows boolean;
    options pg_catalog.text := ' INCLUDING GENERATED INCLUDING STORAGE';
    copy_of_table pg_catalog.text;
    index_of_copy pg_catalog.text;
    rows_in_doubt pg_catalog.text;
    totals pg_catalog.text;
    obstacle pg_catalog.text;
    duplicate_groups bigint;
    surplus_rows bigint;
    null_rows bigint;
    refused pg_catalog.text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    SELECT c.relname, format('%I.%I', n.nspname, c.relname), pg_get_partkeydef(c.oid), row_security_active(c.oid),
           c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
    INTO name, qualified, partition_key, hides_rows, has_children
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
    IF hides_rows THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = key_label || ' cannot be checked: row level security hides rows from ' || current_user
                || '; nothing was changed',
            HINT = 'Run the script as a role with BYPASSRLS, or as the table''s owner without FORCE ROW LEVEL SECURITY';
    END IF;

    -- Can there be an index at all, whatever the rows? One is made on an empty copy of the table, and then one on the
    -- rows in doubt; UG000 takes them back, and the path with them. A role that may make no temporary table gets no
    -- answer here.
    IF current_setting('server_version_num')::int >= 140000 THEN
        options := options || ' INCLUDING COMPRESSION';
    END IF;
    copy_of_table := format('CREATE TEMP TABLE %I (LIKE %s%s)', name, qualified, options);
    index_of_copy := format('INDEX ON pg_temp.%I (%s)%s', name, array_to_string(elements, ', '), ' WHERE ' || predicate);
    BEGIN
        partition_key := coalesce(' PARTITION BY ' || partition_key, '');
        PERFORM set_config('search_path', users_path, true);
        EXECUTE pg_catalog.concat(copy_of_table, partition_key);
        BEGIN
            EXECUTE pg_catalog.concat('CREATE UNIQUE ', index_of_copy);
        EXCEPTION
            WHEN undefined_object OR invalid_object_definition OR feature_not_supported THEN
                obstacle := SQLERRM;
            WHEN OTHERS THEN NULL; -- such as SQL that names the table with its schema: the copy is the cause
        END;
        RAISE EXCEPTION USING ERRCODE = 'UG000';
    EXCEPTION
        WHEN SQLSTATE 'UG000' OR insufficient_privilege OR read_only_sql_transaction OR duplicate_table
            OR wrong_object_type THEN NULL;
    END;
    IF obstacle IS NULL THEN
        -- an index row takes a third of a page at most: BTMaxItemSize, nbtree.h
        SELECT format('INSERT INTO pg_temp.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %3$s '
                      'WHERE (%4$s) AND %5$s OPERATOR(pg_catalog.>) %6$s',
                      name, string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum), qualified,
                      coalesce(predicate, 'true'),
                      (SELECT string_agg(format('coalesce(pg_catalog.pg_column_size(%s), 0)', element),
                                         ' OPERATOR(pg_catalog.+) ') FROM unnest(elements) AS listed(element)),
                      current_setting('block_size')::int / 4)
        INTO rows_in_doubt
        FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
        BEGIN
            PERFORM set_config('search_path', users_path, true);
            EXECUTE copy_of_table;
            EXECUTE pg_catalog.concat('CREATE ', index_of_copy);
            EXECUTE rows_in_doubt;
            RAISE EXCEPTION USING ERRCODE = 'UG000';
        EXCEPTION
            WHEN program_limit_exceeded THEN
                obstacle := SQLERRM;
            WHEN SQLSTATE 'UG000' OR insufficient_privilege OR read_only_sql_transaction OR duplicate_table
                OR wrong_object_type THEN NULL;
        END;
    END IF;
    IF obstacle IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
            MESSAGE = key_label || ' does not hold: no unique index can be made on it; nothing was changed',
            DETAIL = 'The database says: ' || obstacle;
    END IF;

    -- rows of tables that inherit from it are not in its index
    SELECT format(
        'SELECT pg_catalog.sum(CASE WHEN NOT has_null THEN 1 END), '
        'pg_catalog.sum(CASE WHEN NOT has_null THEN row_count OPERATOR(pg_catalog.-) 1 END), '
        'pg_catalog.sum(CASE WHEN has_null THEN row_count END) '
        'FROM (SELECT %1$s, pg_catalog.count(*) AS row_count, %2$s AS has_null FROM %3$s%4$s%5$s '
        'GROUP BY %6$s HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 OR %2$s) AS offending',
        string_agg(format('%s AS key_%s', element, place), ', ' ORDER BY place),
        CASE nulls WHEN 'not_distinct' THEN 'false' ELSE string_agg(format('%s IS NULL', element), ' OR ') END,
        CASE WHEN has_children THEN 'ONLY ' END, qualified, ' WHERE ' || predicate,
        string_agg(place::text, ', '))
    INTO totals FROM unnest(elements) WITH ORDINALITY AS listed(element, place);
    PERFORM set_config('search_path', users_path, true);
    EXECUTE totals INTO duplicate_groups, surplus_rows, null_rows;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    -- the numbers as the report online has them
    SELECT string_agg(ltrim(to_char(number, '999,999,999,999,999')) || ' ' || noun
                      || CASE number WHEN 1 THEN '' ELSE 's' END || rest, ', ' ORDER BY place)
    INTO refused
    FROM (VALUES
        (1, duplicate_groups, 'duplicate group', ''),
        (2, CASE WHEN duplicate_groups > 0 THEN surplus_rows END, 'surplus row', ''),
        (3, CASE WHEN nulls = 'forbid' THEN null_rows END, 'row', ' with NULL in the key')
    ) AS counted(place, number, noun, rest)
    WHERE number > 0;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = CASE WHEN duplicate_groups > 0 THEN 'unique_violation' ELSE 'not_null_violation' END,
            MESSAGE = key_label || ' does not hold: ' || refused || '; nothing was changed',
            HINT = 'List them all: ' || listing;
    END IF;
    IF nulls = 'warn' AND null_rows > 0 THEN
        RAISE WARNING '%: % row% with NULL in the key: no upsert ever matches them', key_label,
            ltrim(to_char(null_rows, '999,999,999,999,999')), CASE null_rows WHEN 1 THEN '' ELSE 's' END;
    END IF;
    PERFORM set_config('search_path', users_path, true);
END
