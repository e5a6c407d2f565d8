-- Leaves one row of each key: the others are moved to an archive, or deleted. All of it, or nothing.
--
-- In batches: `plan` reads which rows are surplus, refuses what can be known for all of them, and lists them for the
-- session; `batch` does the rest for one batch of the list, in a transaction of its own, under locks on these rows only.
--
-- The body of an anonymous block, or of a procedure; its parameters are declared above it:
--   key_label      the key as messages name it; the reason in the archive
--   relation_name  the table, quoted; in batches with its schema, since tables of the session hide others of their names
--   elements       SQL of the key's elements, listed
--   condition      SQL of the rows that the key is about, those without NULL in it unless NULLs are equal
--   ordering       SQL in front of the primary key: which row comes first; '' or ending in a comma
--   direction      ASC or DESC, of the primary key
--   archive        the archive table, quoted where it must be; NULL: surplus rows are deleted
--   repoint        whether references to surplus rows are moved to the row that stays
--   form           whole, plan or batch
--   batch_size     surplus rows, at most
--   batch_number   from 1
--   users_path     the search path as the user has it
    relation CONSTANT pg_catalog.regclass := relation_name::pg_catalog.regclass;
    relation_label CONSTANT pg_catalog.text := relation::pg_catalog.text;
    users_schemas CONSTANT pg_catalog.text[] := pg_catalog.current_schemas(false)::pg_catalog.text[];
    archive_relation pg_catalog.regclass := pg_catalog.to_regclass(archive);
    archive_was_there CONSTANT boolean := archive_relation IS NOT NULL;
    kind pg_catalog.text;
    hides_rows boolean;
    is_secured boolean;
    only_relation pg_catalog.text; -- the table without those that inherit from it
    identity pg_catalog.text[];
    equality pg_catalog.text[]; -- the operator that compares each column of the identity, as its index does
    has_primary_key boolean;
    is_gone pg_catalog.text; -- gone is the row that a line of surplus is about
    is_kept pg_catalog.text; -- kept is the row that stays in its place
    child_is_gone pg_catalog.text; -- a referencing row of the table itself is surplus too
    child_is_referring pg_catalog.text; -- the same, of another line
    is_kept_itself pg_catalog.text; -- the same, where the row has the name of its table
    looks_again boolean;
    is_listed pg_catalog.text; -- locked is the row that a line of the list is about
    is_locked pg_catalog.text; -- a row of the table is one that is locked
    unchanged pg_catalog.text := 'nothing was changed';
    surplus_rows bigint;
    batches bigint := 0;
    empty_table pg_catalog.text;
    inserted bigint; -- rows of the family that this session has inserted, and not reported yet
    family pg_catalog.oid[]; -- the table, its partitions, and what it is a partition of
    foreign_keys pg_catalog.jsonb;
    reference pg_catalog.record;
    grandchild pg_catalog.record;
    statement pg_catalog.text;
    counted bigint;
    referenced bigint := 0;
    reference_labels pg_catalog.text[] := '{}';
    repointed pg_catalog.jsonb := '{}';
    columns pg_catalog.text[];
    broken pg_catalog.text; -- the unique index of a referring table that moved references break
    collision pg_catalog.text; -- the query for two of its rows, and then these
    message pg_catalog.text;
    lacking pg_catalog.text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    SELECT c.relkind::text, row_security_active(c.oid), c.relrowsecurity,
           CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || relation::text
    INTO kind, hides_rows, is_secured, only_relation
    FROM pg_class c WHERE c.oid = relation;
    IF kind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION USING ERRCODE = 'UG001',
            MESSAGE = key_label || ' cannot be deduplicated: ' || relation_label || ' is not a table';
    END IF;
    IF hides_rows THEN
        RAISE EXCEPTION USING ERRCODE = 'UG001',
            MESSAGE = key_label || ' cannot be deduplicated: row level security hides rows of ' || relation_label
                || ' from the role ' || current_user || '; run the upgrade as a role with BYPASSRLS';
    END IF;

    IF form = 'whole' THEN -- from here on nobody writes to the table, and what is counted stays so
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', only_relation);
    ELSIF form = 'batch' THEN
        unchanged := 'this batch was undone';
        -- Each statement below looks the batch's rows up by an index: by its own costs the planner would rather read the
        -- whole table, for each of them, where a batch is a hundredth of it.
        PERFORM set_config(name, value, true)
        FROM (VALUES ('seq_page_cost', '0.01'), ('random_page_cost', '0.01'), ('cpu_operator_cost', '0.0002'),
                     ('enable_mergejoin', 'off')) AS settings(name, value);
    ELSE
        PERFORM set_config('upsert_guard.ranks_as_planned', 'off', false);
        IF to_regclass('pg_temp.upsert_guard_list') IS NOT NULL THEN
            DROP TABLE pg_temp.upsert_guard_list, pg_temp.upsert_guard_locked, pg_temp.upsert_guard_surplus;
        END IF;
    END IF;

    SELECT array_agg(a.attname ORDER BY k.place),
           array_agg(format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.place)
    INTO identity, equality
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    JOIN pg_opclass oc ON oc.oid = i.indclass[k.place - 1] -- which counts from 0
    JOIN pg_amop equal ON equal.amopfamily = oc.opcfamily AND equal.amopstrategy = 3 -- btree: =
         AND equal.amoplefttype = oc.opcintype AND equal.amoprighttype = oc.opcintype
    JOIN pg_operator o ON o.oid = equal.amopopr
    JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE i.indrelid = relation AND i.indisprimary AND k.place <= i.indnkeyatts;
    has_primary_key := identity IS NOT NULL;
    -- the table as well: a partition's primary key may be its own
    identity := CASE WHEN has_primary_key THEN identity || ARRAY['tableoid'] ELSE ARRAY['tableoid', 'ctid'] END;
    equality := equality || array_fill('OPERATOR(pg_catalog.=)'::text, ARRAY[CASE WHEN has_primary_key THEN 1 ELSE 2 END]);
    SELECT string_agg(format('gone.%I %s surplus.gone_%s', name, equals, place), ' AND '),
           string_agg(format('kept.%I %s surplus.kept_%s', name, equals, place), ' AND '),
           string_agg(format('child.%I %s surplus.gone_%s', name, equals, place), ' AND '),
           string_agg(format('child.%I %s referring.gone_%s', name, equals, place), ' AND '),
           string_agg(format('locked.%I %s listed.id_%s', name, equals, place), ' AND '),
           string_agg(format('%s.%I %s pg_temp.upsert_guard_locked.upsert_guard_id_%s', relation, name, equals, place), ' AND '),
           string_agg(format('%s.%I %s surplus.kept_%s', relation, name, equals, place), ' AND ')
    INTO is_gone, is_kept, child_is_gone, child_is_referring, is_listed, is_locked, is_kept_itself
    FROM unnest(identity, equality) WITH ORDINALITY AS i(name, equals, place);

    IF form = 'batch' THEN
        -- Who changes, deletes or begins to refer to one of these rows is waited for, or waits for this transaction. What
        -- is done below is done with these versions of the rows: they stay the newest ones.
        SELECT format(
            'INSERT INTO pg_temp.upsert_guard_locked SELECT listed.*, locked.ctid FROM ('
            'SELECT %1$s, place FROM pg_temp.upsert_guard_list WHERE batch OPERATOR(pg_catalog.=) %2$s UNION ALL '
            'SELECT DISTINCT %3$s, 1::bigint FROM pg_temp.upsert_guard_list WHERE batch OPERATOR(pg_catalog.=) %2$s'
            ') AS listed(%4$s, place) JOIN %5$s AS locked ON %6$s FOR UPDATE OF locked',
            string_agg(format('gone_%s', place), ', ' ORDER BY place), batch_number,
            string_agg(format('kept_%s', place), ', ' ORDER BY place),
            string_agg(format('id_%s', place), ', ' ORDER BY place), only_relation, is_listed)
        INTO statement FROM unnest(identity) WITH ORDINALITY AS i(name, place);
        TRUNCATE pg_temp.upsert_guard_locked, pg_temp.upsert_guard_surplus;
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        ANALYZE pg_temp.upsert_guard_locked;
    END IF;
    -- a table that refers to itself is changed by what is moved: its rows keep the places that they had when all were read
    statement := format(
        '%s SELECT * FROM (SELECT %s, pg_catalog.row_number() OVER of_key AS place FROM %s WHERE %s '
        'WINDOW of_key AS (PARTITION BY %s ORDER BY %s)) AS ranked WHERE place OPERATOR(pg_catalog.>) 1',
        CASE form WHEN 'whole' THEN 'CREATE TEMP TABLE upsert_guard_surplus ON COMMIT DROP AS'
                  WHEN 'plan' THEN 'CREATE TEMP TABLE upsert_guard_surplus ON COMMIT DELETE ROWS AS'
                  ELSE 'INSERT INTO pg_temp.upsert_guard_surplus' END,
        (SELECT string_agg(
             format('%3$s.%1$I AS gone_%2$s, pg_catalog.first_value(%3$s.%1$I) OVER of_key AS kept_%2$s', name, place,
                    relation), ', ')
         FROM unnest(identity) WITH ORDINALITY AS i(name, place)),
        CASE WHEN form = 'batch' THEN format(
            'pg_temp.upsert_guard_locked JOIN %s ON %s AND %s.ctid OPERATOR(pg_catalog.=) pg_temp.upsert_guard_locked.upsert_guard_version',
            only_relation, is_locked, relation) ELSE only_relation END,
        condition, elements,
        CASE WHEN form = 'batch' AND current_setting('upsert_guard.ranks_as_planned') = 'on' THEN 'pg_temp.upsert_guard_locked.upsert_guard_place, ' ELSE '' END
        || ordering || (SELECT string_agg(format('%s.%I %s', relation, name, direction), ', ' ORDER BY place)
                        FROM unnest(identity) WITH ORDINALITY AS i(name, place)));
    PERFORM set_config('search_path', users_path, true);
    EXECUTE statement;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    ANALYZE pg_temp.upsert_guard_surplus;
    SELECT count(*) INTO surplus_rows FROM pg_temp.upsert_guard_surplus;

    -- foreign keys that refer to the table, to a partition of it, or to what it is a partition of; those of partitions
    -- that follow their parent's are the parent's. A key may refer to other columns than the primary key, by an equality
    -- of its own.
    SELECT array_agg(relid) INTO family
    FROM (SELECT relid FROM pg_partition_tree(relation) UNION SELECT relid FROM pg_partition_ancestors(relation)
          UNION SELECT relation) AS members;
    SELECT sum(pg_stat_get_xact_tuples_inserted(oid)) INTO inserted FROM unnest(family) AS members(oid);
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'oid', con.oid::bigint,
               'only_child', referring.only_child,
               'label', format('%s (%s)', referring.label, pair.columns),
               'own', pair.own,
               'meets', pair.meets,
               'moves', pair.moves,
               'lacks_one', pair.lacks_one,
               'is_itself', referring.is_itself,
               'stays', referring.stays,
               'counts', format(
                   'SELECT pg_catalog.count(*) FROM (SELECT FROM %s AS child WHERE EXISTS ('
                   'SELECT FROM pg_temp.upsert_guard_surplus AS surplus JOIN %s AS gone ON %s WHERE %s)%s%s) AS referring',
                   referring.only_child, only_relation, is_gone, pair.meets, referring.stays,
                   -- who refers to a row that will be moved waits, too
                   CASE WHEN form = 'batch' AND repoint THEN ' FOR UPDATE OF child' ELSE '' END),
               'links', format(
                   'INSERT INTO pg_temp.upsert_guard_links SELECT referring.number, surplus.number '
                   'FROM pg_temp.upsert_guard_list AS surplus JOIN %s AS gone ON %s '
                   'JOIN (%s AS child JOIN pg_temp.upsert_guard_list AS referring ON %s) ON %s '
                   'WHERE referring.number OPERATOR(pg_catalog.<>) surplus.number',
                   only_relation, is_gone, referring.only_child, child_is_referring, pair.meets),
               'is_deferrable', con.condeferrable,
               'is_temporal', coalesce((to_jsonb(con) ->> 'conperiod')::boolean, false),
               'hides_rows', row_security_active(con.conrelid)
           ) ORDER BY referring.label, con.conname), '[]')
    INTO foreign_keys
    FROM pg_constraint con
    JOIN pg_class child ON child.oid = con.conrelid
    JOIN pg_namespace home ON home.oid = child.relnamespace
    CROSS JOIN LATERAL (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns,
               -- one that refers to a column of the same name, and is in the key, is the same in both rows
               coalesce(jsonb_agg(a.attname) FILTER (WHERE a.attname <> r.attname), '[]') AS own,
               string_agg(format('gone.%I OPERATOR(%I.%s) child.%I', r.attname, n.nspname, o.oprname, a.attname),
                          ' AND ' ORDER BY k.place) AS meets,
               string_agg(format('%I = kept.%I', a.attname, r.attname), ', ' ORDER BY k.place) AS moves,
               string_agg(format('kept.%I IS NULL', r.attname), ' OR ' ORDER BY k.place) AS lacks_one
        FROM unnest(con.conkey, con.confkey, con.conpfeqop) WITH ORDINALITY AS k(own, referred, operator, place)
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.own
        JOIN pg_attribute r ON r.attrelid = con.confrelid AND r.attnum = k.referred
        JOIN pg_operator o ON o.oid = k.operator
        JOIN pg_namespace n ON n.oid = o.oprnamespace
    ) AS pair
    CROSS JOIN LATERAL (
        SELECT CASE child.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || con.conrelid::regclass::text AS only_child,
               CASE WHEN home.nspname = ANY (users_schemas) THEN quote_ident(child.relname)
                    ELSE format('%I.%I', home.nspname, child.relname) END AS label,
               itself.answer AS is_itself,
               CASE WHEN itself.answer THEN format(
                   ' AND NOT EXISTS (SELECT FROM pg_temp.upsert_guard_surplus AS surplus WHERE %s)', child_is_gone)
                   ELSE '' END AS stays
        FROM (SELECT con.conrelid = ANY (family)) AS itself(answer)
    ) AS referring
    WHERE con.contype = 'f' AND con.conparentid = 0 AND surplus_rows > 0
      AND con.confrelid = ANY (family);

    -- who refers to surplus rows; a surplus row that refers to another goes with it
    FOR reference IN SELECT * FROM jsonb_to_recordset(foreign_keys) AS f(
        oid oid, only_child text, label text, own jsonb, meets text, moves text, lacks_one text, stays text, counts text,
        links text, is_itself boolean, is_temporal boolean, is_deferrable boolean, hides_rows boolean)
    LOOP
        IF reference.hides_rows OR reference.is_temporal THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: the rows of ' || reference.label || ' that refer to it '
                    || CASE WHEN reference.is_temporal THEN 'do so for a period of time'
                            ELSE 'are hidden from the role ' || current_user || ' by row level security' END;
        END IF;
        -- a row that refers to another locks it; where that is checked at the end of a transaction it does so only then
        IF form = 'whole' OR form = 'batch' AND reference.is_deferrable THEN
            EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', reference.only_child);
        END IF;
        statement := reference.counts;
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement INTO counted;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF counted = 0 THEN
            CONTINUE;
        END IF;
        referenced := referenced + counted;
        reference_labels := reference_labels || format('%s %s', reference.label, counted);
        IF NOT repoint THEN
            CONTINUE;
        END IF;
        IF reference.is_itself AND NOT has_primary_key THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: ' || reference.label
                    || ' refers to the table itself, which has no primary key to tell its rows by';
        END IF;
        IF reference.is_itself AND form = 'plan' THEN
            PERFORM set_config('upsert_guard.ranks_as_planned', 'on', false);
            statement := format('CREATE TEMP VIEW upsert_guard_key AS SELECT 1 AS one FROM %s WHERE (%s) AND ROW(%s) IS NULL',
                                only_relation, condition, elements);
            PERFORM set_config('search_path', users_path, true);
            EXECUTE statement;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            SELECT count(*) INTO counted
            FROM pg_depend d
            JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class = 'pg_temp.upsert_guard_key'::regclass
            LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid <> 0
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation
              AND coalesce(jsonb_exists(reference.own, a.attname::text), true);
            DROP VIEW pg_temp.upsert_guard_key;
            IF counted > 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'UG001',
                    MESSAGE = key_label || ' cannot be deduplicated in batches: the key holds ' || reference.label
                        || ', a reference of the table to itself, and moving it may make more rows equal; nothing was '
                        || 'changed. Without batch_size it is done in one transaction, which looks at all rows again';
            END IF;
        END IF;
        statement := format(
            'SELECT pg_catalog.count(*) FROM pg_temp.upsert_guard_surplus AS surplus JOIN %1$s AS gone ON %2$s '
            'JOIN %1$s AS kept ON %3$s JOIN %4$s AS child ON %5$s WHERE (%6$s)%7$s',
            only_relation, is_gone, is_kept, reference.only_child, reference.meets, reference.lacks_one,
            reference.stays);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement INTO counted;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF counted > 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: ' || counted || ' references of ' || reference.label
                    || ' cannot be moved, the row that stays has NULL where they point';
        END IF;
        -- rows that refer to the reference itself, and would lose it with ON UPDATE SET NULL or SET DEFAULT
        FOR grandchild IN
            SELECT format('%s (%s)', CASE WHEN home.nspname = ANY (users_schemas) THEN quote_ident(c.relname)
                                          ELSE format('%I.%I', home.nspname, c.relname) END, pair.columns) AS label,
                   g.conrelid::regclass AS relation, pair.meets, change.happens
            FROM pg_constraint moved
            JOIN pg_constraint g ON g.contype = 'f' AND g.confrelid = moved.conrelid AND g.conparentid = 0
                 AND g.confupdtype IN ('n', 'd') AND g.confkey && moved.conkey
            JOIN pg_class c ON c.oid = g.conrelid
            JOIN pg_namespace home ON home.oid = c.relnamespace
            CROSS JOIN LATERAL (
                SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns,
                       string_agg(format('child.%I OPERATOR(%I.%s) grandchild.%I', r.attname, n.nspname, o.oprname,
                                         a.attname), ' AND ' ORDER BY k.place) AS meets
                FROM unnest(g.conkey, g.confkey, g.conpfeqop) WITH ORDINALITY AS k(own, referred, operator, place)
                JOIN pg_attribute a ON a.attrelid = g.conrelid AND a.attnum = k.own
                JOIN pg_attribute r ON r.attrelid = g.confrelid AND r.attnum = k.referred
                JOIN pg_operator o ON o.oid = k.operator
                JOIN pg_namespace n ON n.oid = o.oprnamespace
            ) AS pair
            CROSS JOIN LATERAL (
                -- the row that stays has no NULL there: that was refused above
                SELECT string_agg(format('(kept.%I OPERATOR(%I.%s) child.%I) IS NOT TRUE', r.attname, n.nspname,
                                         o.oprname, a.attname), ' OR ') AS happens
                FROM unnest(moved.conkey, moved.confkey, moved.conpfeqop) AS k(own, referred, operator)
                JOIN pg_attribute a ON a.attrelid = moved.conrelid AND a.attnum = k.own
                JOIN pg_attribute r ON r.attrelid = moved.confrelid AND r.attnum = k.referred
                JOIN pg_operator o ON o.oid = k.operator
                JOIN pg_namespace n ON n.oid = o.oprnamespace
                WHERE k.own = ANY (g.confkey)
            ) AS change
            WHERE moved.oid = reference.oid
        LOOP
            statement := format(
                'SELECT pg_catalog.count(*) FROM pg_temp.upsert_guard_surplus AS surplus JOIN %1$s AS gone ON %2$s '
                'JOIN %1$s AS kept ON %3$s JOIN %4$s AS child ON %5$s JOIN %6$s AS grandchild ON %7$s WHERE (%8$s)%9$s',
                only_relation, is_gone, is_kept, reference.only_child, reference.meets, grandchild.relation,
                grandchild.meets, grandchild.happens, reference.stays);
            PERFORM set_config('search_path', users_path, true);
            EXECUTE statement INTO counted;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            IF counted > 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'UG001',
                    MESSAGE = key_label || ' cannot be deduplicated: moving the references of ' || reference.label || ' would take '
                        || counted || ' references of ' || grandchild.label
                        || ' away, by their ON UPDATE SET NULL or SET DEFAULT; ' || unchanged;
            END IF;
        END LOOP;
    END LOOP;
    IF referenced > 0 AND NOT repoint THEN
        RAISE EXCEPTION USING ERRCODE = 'UG001',
            MESSAGE = key_label || ' cannot be deduplicated: ' || referenced || ' references to surplus rows would be lost: '
                || array_to_string(reference_labels, ', ')
                || '; ' || unchanged || '. Move them first, or pass repoint=True, which makes them refer to the row that stays';
    END IF;

    IF archive IS NOT NULL AND surplus_rows > 0 AND (archive_was_there OR form <> 'plan') THEN
        IF NOT archive_was_there THEN
            statement := format(
                'CREATE TABLE %s (LIKE %s, upsert_guard_archived_at timestamptz NOT NULL DEFAULT pg_catalog.now(), '
                'upsert_guard_reason pg_catalog.text NOT NULL, upsert_guard_kept pg_catalog.text)', archive, relation);
            PERFORM set_config('search_path', users_path, true);
            EXECUTE statement;
            archive_relation := pg_catalog.to_regclass(archive);
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            IF is_secured THEN -- without a policy: what was hidden stays so
                EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', archive_relation);
            END IF;
        END IF;
        SELECT array_agg(format('%I', a.attname) ORDER BY a.attnum) INTO columns
        FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
        -- of another type it could round a value, and would be the one place that has it
        SELECT string_agg(wanted.name || coalesce(' ' || wanted.type, ''), ', ') INTO lacking
        FROM (
            SELECT a.attname, format('%I', a.attname), format_type(a.atttypid, a.atttypmod)
            FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT extra, extra, NULL
            FROM unnest(ARRAY['upsert_guard_archived_at', 'upsert_guard_reason', 'upsert_guard_kept']) AS extra
        ) AS wanted(plain, name, type)
        WHERE NOT EXISTS (
            SELECT FROM pg_attribute b
            WHERE b.attrelid = archive_relation AND b.attname = wanted.plain AND NOT b.attisdropped
              AND coalesce(format_type(b.atttypid, b.atttypmod) = wanted.type, true));
        IF lacking IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: the archive table ' || archive || ' is there and lacks '
                    || lacking || '; name another, or add the columns';
        END IF;
    END IF;
    IF form = 'plan' THEN
        -- rows of one key lie together
        SELECT format('CREATE TEMP TABLE upsert_guard_list AS SELECT numbered.*, NULL::integer AS level, '
                      '(number OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) %1$s::bigint OPERATOR(pg_catalog.+) 1 AS batch '
                      'FROM (SELECT *, pg_catalog.row_number() OVER (ORDER BY %2$s, place) AS number '
                      'FROM pg_temp.upsert_guard_surplus) AS numbered ORDER BY number',
                      batch_size, string_agg(format('kept_%s', place), ', ' ORDER BY place)),
               format('CREATE TEMP TABLE upsert_guard_locked ON COMMIT DELETE ROWS AS SELECT %s, place AS upsert_guard_place, '
                      'NULL::pg_catalog.tid AS upsert_guard_version FROM pg_temp.upsert_guard_surplus WHERE false',
                      string_agg(format('gone_%1$s AS upsert_guard_id_%1$s', place), ', ' ORDER BY place))
        INTO statement, empty_table FROM unnest(identity) WITH ORDINALITY AS i(name, place);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement;
        EXECUTE empty_table;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        -- A surplus row that refers to another goes before it, or with it, and so into the archive as it is.
        CREATE TEMP TABLE upsert_guard_links (referring bigint, referred bigint);
        FOR reference IN SELECT * FROM jsonb_to_recordset(foreign_keys) AS f(links text, is_itself boolean) WHERE is_itself
        LOOP
            statement := reference.links;
            PERFORM set_config('search_path', users_path, true);
            EXECUTE statement;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        END LOOP;
        IF EXISTS (SELECT FROM pg_temp.upsert_guard_links) THEN
            FOR depth IN 1..100 LOOP -- what is left then, and what refers to itself in a circle, is one batch
                UPDATE pg_temp.upsert_guard_list AS listed SET level = depth
                WHERE level IS NULL AND NOT EXISTS (
                    SELECT FROM pg_temp.upsert_guard_links AS link JOIN pg_temp.upsert_guard_list AS referring
                    ON referring.number = link.referring WHERE link.referred = listed.number AND referring.level IS NULL);
                EXIT WHEN NOT FOUND;
            END LOOP;
            UPDATE pg_temp.upsert_guard_list AS listed
            SET batch = CASE WHEN level IS NULL THEN placed.levelled + batch_size - 1 ELSE placed.place - 1 END / batch_size + 1
            FROM (SELECT other.number, count(level) OVER () AS levelled, row_number() OVER (ORDER BY level, number) AS place
                  FROM pg_temp.upsert_guard_list AS other) AS placed
            WHERE placed.number = listed.number;
        END IF;
        DROP TABLE pg_temp.upsert_guard_links;
        CREATE INDEX ON pg_temp.upsert_guard_list (batch);
        ANALYZE pg_temp.upsert_guard_list;
        SELECT max(batch) INTO batches FROM pg_temp.upsert_guard_list;
        PERFORM set_config('upsert_guard.result',
                           jsonb_build_object('rows', surplus_rows, 'batches', coalesce(batches, 0))::text, true);
        PERFORM set_config('search_path', users_path, true);
        RETURN;
    END IF;

    IF archive IS NOT NULL AND surplus_rows > 0 THEN
        statement := format(
            'INSERT INTO %s (%s, upsert_guard_reason, upsert_guard_kept) SELECT %s, %L, %s '
            'FROM pg_temp.upsert_guard_surplus AS surplus JOIN %s AS gone ON %s',
            archive_relation, array_to_string(columns, ', '),
            (SELECT string_agg('gone.' || name, ', ' ORDER BY place) FROM unnest(columns) WITH ORDINALITY AS c(name, place)),
            key_label,
            CASE WHEN has_primary_key THEN
                (SELECT 'pg_catalog.concat_ws('', '', ' || string_agg(format('pg_catalog.concat(%L, surplus.kept_%s)', name || ' = ', place), ', ') || ')'
                 FROM unnest(identity) WITH ORDINALITY AS i(name, place) WHERE name <> 'tableoid')
            ELSE 'NULL' END,
            only_relation, is_gone);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement;
        GET DIAGNOSTICS counted = ROW_COUNT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF counted <> surplus_rows THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: ' || archive || ' took ' || counted || ' of ' || surplus_rows
                    || ' rows, a trigger or rule of it keeps the others away; ' || unchanged;
        END IF;
        IF EXISTS (SELECT FROM pg_class c WHERE c.oid = archive_relation
                   AND (c.relkind <> 'r' OR c.relhastriggers OR c.relhasrules)) THEN
            -- a trigger of it may alter what it is given, and it is the one place that will have it
            statement := format(
                'SELECT pg_catalog.count(*) FROM (SELECT ROW(%s)::pg_catalog.text FROM pg_temp.upsert_guard_surplus AS surplus '
                'JOIN %s AS gone ON %s EXCEPT ALL SELECT ROW(%s)::pg_catalog.text FROM ONLY %s '
                'WHERE upsert_guard_reason OPERATOR(pg_catalog.=) %L) AS altered',
                (SELECT string_agg('gone.' || name, ', ' ORDER BY place) FROM unnest(columns) WITH ORDINALITY AS c(name, place)),
                only_relation, is_gone, array_to_string(columns, ', '), archive_relation, key_label);
            PERFORM set_config('search_path', users_path, true);
            EXECUTE statement INTO counted;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            IF counted > 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'UG001',
                    MESSAGE = key_label || ' cannot be deduplicated: a trigger or rule of ' || archive || ' altered ' || counted
                        || ' of ' || surplus_rows || ' rows on their way; ' || unchanged;
            END IF;
        END IF;
    END IF;

    FOR reference IN SELECT * FROM jsonb_to_recordset(foreign_keys) AS f(
        oid oid, only_child text, label text, own jsonb, meets text, moves text, lacks_one text, stays text, counts text,
        links text, is_itself boolean, is_temporal boolean, is_deferrable boolean, hides_rows boolean)
    LOOP
        statement := format(
            'UPDATE %1$s AS child SET %2$s FROM pg_temp.upsert_guard_surplus AS surplus JOIN %3$s AS gone ON %4$s '
            'JOIN %3$s AS kept ON %5$s WHERE %6$s%7$s',
            reference.only_child, reference.moves, only_relation, is_gone, is_kept, reference.meets,
            reference.stays);
        PERFORM set_config('search_path', users_path, true);
        BEGIN
            EXECUTE statement;
            GET DIAGNOSTICS counted = ROW_COUNT;
        EXCEPTION WHEN unique_violation THEN
            -- the reference is in a key of the table that refers: which two of its rows become equal?
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME, message = MESSAGE_TEXT;
            collision := NULL;
            SELECT format('SELECT pg_catalog.array_to_string((pg_catalog.array_agg(%1$s ORDER BY %1$s))[1:2], '' and '') '
                          'FROM %2$s AS child LEFT JOIN (pg_temp.upsert_guard_surplus AS surplus JOIN %3$s AS gone ON %4$s '
                          'JOIN %3$s AS kept ON %5$s) ON %6$s%7$s WHERE %8$s GROUP BY %9$s '
                          'HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1',
                          coalesce(named.identity, 'child.ctid'), reference.only_child, only_relation, is_gone, is_kept,
                          reference.meets, reference.stays, becomes.is_a_key, becomes.columns)
            INTO collision
            FROM pg_index i
            JOIN pg_class k ON k.oid = i.indexrelid AND k.relname = broken
            JOIN pg_constraint con ON con.oid = reference.oid AND con.conrelid = i.indrelid
            CROSS JOIN LATERAL (
                SELECT string_agg(moved.value, ', ' ORDER BY each.place) AS columns,
                       string_agg(moved.value || ' IS NOT NULL', ' AND ' ORDER BY each.place) AS is_a_key
                FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS each(number, place)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = each.number
                LEFT JOIN pg_attribute r ON r.attrelid = con.confrelid
                     AND r.attnum = con.confkey[array_position(con.conkey, each.number)]
                CROSS JOIN LATERAL (SELECT CASE WHEN r.attname IS NULL THEN format('child.%I', a.attname)
                                    ELSE format('coalesce(kept.%I, child.%I)', r.attname, a.attname) END) AS moved(value)
                WHERE each.place <= i.indnkeyatts
            ) AS becomes
            CROSS JOIN LATERAL (
                SELECT 'pg_catalog.concat_ws('', '', ' || string_agg(
                           format('pg_catalog.concat(%L, child.%I)', a.attname || ' = ', a.attname), ', '
                           ORDER BY each.place) || ')' AS identity
                FROM pg_index p CROSS JOIN LATERAL unnest(p.indkey::smallint[]) WITH ORDINALITY AS each(number, place)
                JOIN pg_attribute a ON a.attrelid = p.indrelid AND a.attnum = each.number
                WHERE p.indrelid = i.indrelid AND p.indisprimary AND each.place <= p.indnkeyatts
            ) AS named
            WHERE i.indexprs IS NULL AND i.indpred IS NULL;
            IF collision IS NOT NULL THEN
                PERFORM set_config('search_path', users_path, true);
                EXECUTE collision INTO collision;
                PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            END IF;
            IF collision IS NULL THEN -- another table's, as by a trigger
                RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = message;
            END IF;
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: the foreign key ' || reference.label
                    || ' is in ' || broken || ', and moving its references makes rows equal that this keeps apart; '
                    || unchanged || '. Merge these rows or delete one of them first',
                DETAIL = 'The rows ' || collision || ' would be equal';
        END;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF counted > 0 THEN
            repointed := repointed || jsonb_build_object(reference.label, counted);
        END IF;
    END LOOP;
    IF referenced > 0 THEN
        -- a trigger may have kept a reference where it was, and a cascade would then delete its row
        FOR reference IN SELECT * FROM jsonb_to_recordset(foreign_keys) AS f(
        oid oid, only_child text, label text, own jsonb, meets text, moves text, lacks_one text, stays text, counts text,
        links text, is_itself boolean, is_temporal boolean, is_deferrable boolean, hides_rows boolean)
        LOOP
            statement := reference.counts;
            PERFORM set_config('search_path', users_path, true);
            EXECUTE statement INTO counted;
            PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            IF counted > 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'UG001',
                    MESSAGE = key_label || ' cannot be deduplicated: a trigger or rule of ' || reference.label || ' kept ' || counted
                        || ' references to surplus rows; ' || unchanged;
            END IF;
        END LOOP;
    END IF;

    statement := format(
        'DELETE FROM %s AS gone USING pg_temp.upsert_guard_surplus AS surplus WHERE %s', only_relation, is_gone);
    PERFORM set_config('search_path', users_path, true);
    EXECUTE statement;
    GET DIAGNOSTICS counted = ROW_COUNT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF counted <> surplus_rows THEN
        RAISE EXCEPTION USING ERRCODE = 'UG001',
            MESSAGE = key_label || ' cannot be deduplicated: a trigger or rule of ' || relation_label || ' kept '
                || surplus_rows - counted || ' of ' || surplus_rows || ' surplus rows; ' || unchanged;
    END IF;
    -- what is checked at the end of the transaction is checked now: pending checks would keep DDL away
    FOR reference IN
        SELECT DISTINCT n.nspname, con.conname FROM pg_constraint con JOIN pg_namespace n ON n.oid = con.connamespace
        WHERE con.condeferred AND surplus_rows > 0 AND (
            con.conrelid = ANY (family) OR con.confrelid = ANY (family)
            OR con.conrelid IN (SELECT f.conrelid FROM pg_constraint f
                                WHERE f.contype = 'f' AND f.confrelid = ANY (family)))
    LOOP
        statement := format('SET CONSTRAINTS %I.%I ', reference.nspname, reference.conname);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE pg_catalog.concat(statement, 'IMMEDIATE');
        EXECUTE pg_catalog.concat(statement, 'DEFERRED');
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END LOOP;
    -- References to itself may be a part of the key, and a trigger may have put rows back: look again. Keys of other
    -- batches have duplicates still, and a whole table is not read for each batch.
    IF form = 'batch' THEN
        SELECT sum(pg_stat_get_xact_tuples_inserted(oid)) > inserted INTO looks_again FROM unnest(family) AS members(oid);
    END IF;
    IF surplus_rows > 0 AND coalesce(looks_again, true) THEN
        statement := format(
            'SELECT pg_catalog.count(*) FROM (SELECT FROM %s WHERE %s GROUP BY %s '
            'HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1%s) AS met', only_relation, condition, elements,
            CASE WHEN form = 'batch' THEN format(
                ' AND pg_catalog.bool_or(EXISTS (SELECT FROM pg_temp.upsert_guard_surplus AS surplus WHERE %s))', is_kept_itself)
            ELSE '' END);
        PERFORM set_config('search_path', users_path, true);
        EXECUTE statement INTO counted;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF counted > 0 THEN
            RAISE EXCEPTION USING ERRCODE = 'UG001',
                MESSAGE = key_label || ' cannot be deduplicated: ' || counted || CASE WHEN counted = 1 THEN ' group' ELSE ' groups' END
                    || ' of duplicate rows would be there again: the key holds references of the table to itself, and moving '
                    || 'them makes more rows equal, or a trigger puts rows back; ' || unchanged;
        END IF;
    END IF;
    IF form = 'whole' THEN
        DROP TABLE pg_temp.upsert_guard_surplus;
        RAISE NOTICE '%: % surplus rows %', key_label, surplus_rows,
            CASE WHEN archive IS NULL THEN 'deleted' ELSE 'moved to ' || archive END;
    END IF;
    PERFORM set_config('upsert_guard.result',
                       jsonb_build_object('rows', surplus_rows, 'repointed', repointed)::text, true);
    PERFORM set_config('search_path', users_path, true);
END
