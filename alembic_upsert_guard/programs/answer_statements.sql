-- Runs many statements, each with an answer of its own; one that fails is undone, and the next is run.
--
-- The body of an anonymous block; its parameters are declared above it, each a constant:
--   statements   JSON: an array of objects with sql and is_read, whether the statement returns one value of JSON
--   users_path   the search path as the user has it
--
-- The cursor upsert_guard_batch then holds the answers: an array of objects with state, message and value.
-- The statements name tables as the user's path finds them, so the path stays, and what is the system's has its schema.
    step pg_catalog.jsonb;
    found pg_catalog.json;
    state pg_catalog.text;
    message pg_catalog.text;
    answers pg_catalog.jsonb[] := '{}';
    document pg_catalog.refcursor := 'upsert_guard_batch';
BEGIN
    FOR step IN SELECT each.value
                FROM pg_catalog.jsonb_array_elements(CAST(statements AS pg_catalog.jsonb)) each LOOP
        found := NULL;
        state := NULL;
        message := NULL;
        BEGIN
            IF CAST(step OPERATOR(pg_catalog.->) 'is_read' AS boolean) THEN
                EXECUTE step OPERATOR(pg_catalog.->>) 'sql' INTO found;
            ELSE
                EXECUTE step OPERATOR(pg_catalog.->>) 'sql';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
        END;
        answers := pg_catalog.array_append(answers, pg_catalog.jsonb_build_object(
            'state', state, 'message', message, 'value', found));
    END LOOP;
    OPEN document FOR SELECT CAST(pg_catalog.to_jsonb(answers) AS pg_catalog.text);
END
