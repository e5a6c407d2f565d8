-- Asks the planner about many upserts, each with an answer of its own. Nothing is written, and no lock is left.
--
-- The body of an anonymous block; its parameters are declared above it, each a constant:
--   questions    JSON: an array of objects with sql (without EXPLAIN), relation (the table in it, as SQL) and path, under
--                which names are looked up; null: the session's
--   users_path   the search path as the user has it
--
-- The cursor upsert_guard_answers then holds the answers: an array of objects with state, message, arbiters,
-- deferrable and schema.
-- The exception that ends each question gives its locks and settings back, the search path among them.
    question pg_catalog.jsonb;
    plan pg_catalog.json;
    statement pg_catalog.text;
    relation pg_catalog.text;
    inserted pg_catalog.regclass; -- behind a view, the table
    named pg_catalog.oid;
    is_visible boolean;
    arbiters pg_catalog.text[];
    late pg_catalog.text[]; -- deferrable
    planned boolean;
    state pg_catalog.text;
    message pg_catalog.text;
    answers pg_catalog.jsonb[] := '{}';
    document pg_catalog.refcursor := 'upsert_guard_answers';
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR question IN SELECT each.value FROM jsonb_array_elements(questions::jsonb) each LOOP
        named := NULL;
        arbiters := NULL;
        late := '{}';
        planned := false;
        relation := question ->> 'relation';
        statement := 'EXPLAIN (VERBOSE, FORMAT JSON) ' || (question ->> 'sql');
        BEGIN
            PERFORM set_config('search_path', coalesce(question ->> 'path', users_path), true);
            named := pg_catalog.to_regclass(relation);
            EXECUTE statement INTO plan;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            planned := true;
            plan := plan -> 0 -> 'Plan';
            IF plan ->> 'Relation Name' IS NULL THEN
                RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'a rule rewrites the INSERT';
            END IF;
            inserted := format('%I.%I', plan ->> 'Schema', plan ->> 'Relation Name')::regclass;
            arbiters := CASE WHEN plan -> 'Conflict Arbiter Indexes' IS NOT NULL THEN ARRAY(
                SELECT json_array_elements_text(plan -> 'Conflict Arbiter Indexes')) END;
            late := ARRAY(
                SELECT DISTINCT ic.relname::text
                FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                WHERE NOT i.indimmediate AND i.indisready AND CASE
                    -- without a target every unique index is an arbiter, those of partitions too
                    WHEN arbiters IS NULL THEN i.indrelid = inserted
                         OR i.indrelid IN (SELECT part.relid FROM pg_partition_tree(inserted) part)
                    ELSE i.indrelid = inserted AND ic.relname = ANY (arbiters)
                         OR i.indexrelid IN (
                             SELECT part.relid
                             FROM pg_index top JOIN pg_class tc ON tc.oid = top.indexrelid
                             CROSS JOIN LATERAL pg_partition_tree(top.indexrelid) part
                             WHERE top.indrelid = inserted AND tc.relkind = 'I'
                               AND tc.relname = ANY (arbiters))
                    END
                ORDER BY 1);
            RAISE EXCEPTION USING ERRCODE = 'UG000', MESSAGE = 'there is a plan';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
        END;
        PERFORM pg_catalog.set_config('search_path', users_path, true);
        is_visible := pg_catalog.pg_table_is_visible(named);
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        answers := answers || jsonb_build_object(
            -- what fails behind the plan is no answer to the question
            'state', CASE WHEN state = 'UG000' THEN NULL WHEN planned AND state <> '0A000' THEN 'XX000'
                          ELSE state END,
            'message', message,
            'arbiters', coalesce(arbiters, '{}'),
            'deferrable', late,
            'schema', (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE c.oid = named AND NOT is_visible));
    END LOOP;
    OPEN document FOR SELECT to_jsonb(answers)::text;
    PERFORM set_config('search_path', users_path, true);
END
