-- Refuses to build an index where the table is partitioned, or something of the index's name is there.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   index_label    the index as messages name it
--   relation_name  the table, quoted
--   index_name     not quoted
--   users_path     the search path as the user has it
    relation CONSTANT pg_catalog.regclass := relation_name::pg_catalog.regclass;
    leftover pg_catalog.record;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF (SELECT relkind FROM pg_class WHERE oid = relation) = 'p' THEN
        RAISE EXCEPTION USING MESSAGE = index_label || ' was not made: the table is partitioned',
            HINT = 'Its partitions are not known to a script: run the upgrade online.';
    END IF;
    SELECT c.oid::regclass AS name, i.indisvalid AS valid INTO leftover
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relname = index_name AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = relation);
    IF FOUND AND leftover.valid IS FALSE THEN
        RAISE EXCEPTION USING MESSAGE = index_label || ' was not made: an earlier build left it INVALID',
            HINT = format('DROP INDEX CONCURRENTLY %s; then run this again.', leftover.name);
    ELSIF FOUND THEN
        RAISE EXCEPTION USING MESSAGE = index_label || ' was not made: something of that name is there',
            HINT = format('Look at %s. The upgrade, run online, resumes with it.', leftover.name);
    END IF;
    PERFORM set_config('search_path', users_path, true);
END
