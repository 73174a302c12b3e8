extension ColumnCatalogReader {
    /// Tables, views and the like that are not the server's own.
    private static let userRelations = """
        c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        """

    static let labelsQuery = """
        select enumtypid as type, enumlabel as label from pg_catalog.pg_enum order by enumtypid, enumsortorder
        """

    /// The type below each domain.
    private static let domains = """
        chain as (
            select t.oid as type, t.typbasetype as base, t.typtypmod as modifier, t.typnotnull as not_null
            from pg_catalog.pg_type t where t.typtype = 'd'
            union all
            select c.type, t.typbasetype, case when c.modifier >= 0 then c.modifier else t.typtypmod end,
                c.not_null or t.typnotnull
            from chain c join pg_catalog.pg_type t on t.oid = c.base where t.typtype = 'd'
        ), domains as (
            select c.type, c.base, c.modifier, c.not_null
            from chain c join pg_catalog.pg_type t on t.oid = c.base where t.typtype <> 'd'
        )
        """

    /// Types are read on their own, because many columns have the same one.
    static let columnsQuery = """
        with owned as (
            select distinct d.refobjid as relation, d.refobjsubid as number
            from pg_catalog.pg_depend d join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refclassid = d.classid
                and d.refobjsubid > 0 and d.deptype in ('a', 'i')
        )
        select a.attrelid as relation, a.attnum as number, a.attname as name, a.attnotnull as not_null,
            a.attgenerated <> '' as generated, a.attidentity <> '' as identity, o.relation is not null as owns_sequence,
            p.partrelid is not null and (a.attnum = any (p.partattrs::pg_catalog.int2[])
                or (p.partexprs is not null and exists (select from pg_catalog.pg_depend k
                    where k.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and k.refclassid = k.classid
                        and k.objid = a.attrelid and k.refobjid = a.attrelid
                        and a.attnum in (k.objsubid, k.refobjsubid)))) as partition_key,
            a.atttypid as type, a.atttypmod as modifier, d.description as comment
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_class c on c.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        left join owned o on o.relation = a.attrelid and o.number = a.attnum
        left join pg_catalog.pg_description d on d.objoid = a.attrelid and d.objsubid = a.attnum
            and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
        left join pg_catalog.pg_partitioned_table p on p.partrelid = a.attrelid
        where a.attnum > 0 and not a.attisdropped and \(userRelations)
        order by a.attrelid, a.attnum
        """

    /// Domains lead to the type below them; a modifier or NOT NULL of any of them counts.
    static let typesQuery = """
        with recursive \(domains)
        select t.oid, b.oid as type_oid, b.typname as type,
            pg_catalog.format('%I.%I', bn.nspname, b.typname) as qualified, b.typtype as kind,
            coalesce(d.modifier, -1) as modifier, e.oid as element_oid, e.typname as element,
            case when e.oid is not null then pg_catalog.format('%I.%I', en.nspname, e.typname) end as element_qualified,
            e.typtype as element_kind, coalesce(d.not_null, false) as not_null,
            case when t.typtype = 'd' then pg_catalog.format('%I.%I', tn.nspname, t.typname) end as domain
        from pg_catalog.pg_type t
        join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
        left join domains d on d.type = t.oid
        join pg_catalog.pg_type b on b.oid = coalesce(d.base, t.oid)
        join pg_catalog.pg_namespace bn on bn.oid = b.typnamespace
        left join domains ed on ed.type = b.typelem
        left join pg_catalog.pg_type e on b.typcategory = 'A' and b.typelem <> 0 and e.oid = coalesce(ed.base, b.typelem)
        left join pg_catalog.pg_namespace en on en.oid = e.typnamespace
        where t.oid = any ($1::pg_catalog.oid[])
        """

    /// With an expression among the keys, all columns that the index depends on may be in it.
    static let indexesQuery = """
        select i.indrelid as relation, x.relname as name, i.indisprimary as is_primary,
            coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::pg_catalog.bool, false) as nulls_equal,
            i.indexprs is null and i.indpred is null as plain,
            case when i.indexprs is null
                then pg_catalog.array_to_string((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1], ' ')
                else (select pg_catalog.string_agg(distinct k.number::pg_catalog.text, ' ') from (
                    select u.number::pg_catalog.int4 as number
                    from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality u (number, place)
                    where u.number > 0 and u.place <= i.indnkeyatts
                    union all
                    select d.refobjsubid from pg_catalog.pg_depend d
                    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        and d.objid = i.indexrelid and d.refclassid = d.classid and d.refobjid = i.indrelid
                        and d.refobjsubid > 0
                ) k)
            end as columns
        from pg_catalog.pg_index i
        join pg_catalog.pg_class x on x.oid = i.indexrelid
        join pg_catalog.pg_class c on c.oid = i.indrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where (i.indisunique or i.indisexclusion) and \(userRelations)
        order by i.indrelid, x.relname
        """

    /// Foreign keys, without those that partitions have from their parents, and columns that children have from theirs.
    static let linksQuery = """
        select k.conname as key, k.conrelid as from_relation, f.number as from_number,
            k.confrelid as to_relation, t.number as to_number
        from pg_catalog.pg_constraint k
        cross join lateral pg_catalog.unnest(k.conkey) with ordinality f (number, place)
        join lateral pg_catalog.unnest(k.confkey) with ordinality t (number, place) on t.place = f.place
        where k.contype = 'f' and k.conparentid = 0
        union all
        select null, i.inhrelid, a.attnum, i.inhparent, b.attnum
        from pg_catalog.pg_inherits i
        join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relkind in ('r', 'p', 'f')
        join pg_catalog.pg_attribute a on a.attrelid = i.inhrelid and a.attnum > 0 and not a.attisdropped
        join pg_catalog.pg_attribute b on b.attrelid = i.inhparent and b.attname = a.attname and not b.attisdropped
        order by 2, 4, 1, 3
        """

    static let checksQuery = """
        select k.conname as name, k.conrelid as relation,
            pg_catalog.array_to_string(k.conkey, ' ') as columns,
            pg_catalog.pg_get_expr(k.conbin, k.conrelid) as expression
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.conrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where k.contype = 'c' and \(userRelations)
        order by k.conrelid, k.conname
        """
}
