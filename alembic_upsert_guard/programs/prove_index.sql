-- Fails the transaction that writes the version, unless an index is there, and valid, or is not there any more.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   relation_name  the table, quoted
--   index_name     not quoted
--   is_wanted      whether it has to be there; false: it has to be gone
--   refusal        the message
--   users_path     the search path as the user has it
    relation CONSTANT pg_catalog.regclass := relation_name::pg_catalog.regclass;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF is_wanted <> EXISTS (
        SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = relation AND c.relname = index_name AND (i.indisvalid OR NOT is_wanted)
    ) THEN
        RAISE EXCEPTION USING MESSAGE = refusal;
    END IF;
    PERFORM set_config('search_path', users_path, true);
END
