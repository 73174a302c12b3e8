import DatabudgieTestSupport
import Postgres

/// What the interop tests move from one database to another: common types, odd names, sequences of all kinds.
enum InteropSchema {
    static let definitions = """
        create type mood as enum ('sad', 'it''s "ok", really'); create domain percentage as int check (value <= 100);
        create type pair as (a int, b text);
        create table item (
            id serial primary key, small smallint, large bigint, exact numeric, money numeric(10,2), real4 real,
            real8 double precision, words text, fixed char(5), short varchar(20), bytes bytea, yes boolean, day date,
            moment timestamptz, local timestamp, clock time, span interval, guid uuid);
        create table variety (
            id int primary key, document json, binary_document jsonb, texts text[], grid int[][], feeling mood,
            feelings mood[], part percentage, both_of pair, span int4range, spans tstzrange, address inet, network cidr,
            bits bit(3), many_bits varbit, document_x xml, vector tsvector);
        create table "Odd Table" ("Odd Col" int, "UPPER" text, "select" text, "per%cent" int);
        create schema shop;
        create table shop.customer (id serial primary key, name text not null);
        create table shop.sale (
            id bigint generated always as identity primary key, customer int references shop.customer, sold date);
        create table fresh (id serial primary key, note text);
        create table computed (id int primary key, word text, doubled int generated always as (id * 2) stored);
        create sequence tally increment 5; create table counted (id bigint default nextval('tally'), note text);
        create table tricky (id int, words text);
        """

    static let rows = #"""
        insert into item (small, large, exact, money, real4, real8, words, fixed, short, bytes, yes, day, moment, local,
            clock, span, guid)
        values
            (-32768, 9223372036854775807, 'NaN', 0.10, '-0', 'Infinity', E'a\nb\n"c",\\.', 'x', '', '\x00ff0a', true,
                '4713-01-01 BC', 'infinity', '2000-01-01 00:00:00.123456', '23:59:60', '1 mon -3 days 04:05:06.7',
                '12345678-1234-1234-1234-123456789abc'),
            (1, -9223372036854775808, 12345678901234567890.1234567890, -99999999.99, 3.4028235e38,
                2.2250738585072014e-308, '', '', 'NULL', '', false, 'infinity', '2024-03-31 01:30:00+00', '-infinity',
                '00:00', '-1 year 1 microsecond', null),
            (null, null, null, null, 'NaN', '-Infinity', null, null, null, null, null, null, null, null, null, null, null),
            (2, 0, 1e-20, 1, 1.1, 0.1, E'\\.', E'\\N', E' tab\t, "quotes" ', '\x5c2e', true, '2024-02-29',
                '1900-01-01 00:00:00.000001+00', '9999-12-31 23:59:59', '12:34:56.789', '0', null);
        insert into item (words) select repeat('Straße, "日本語" ' || i || E'\n', 20) from generate_series(1, 500) i;
        insert into variety
        values
            (1, '{"a" : 1, "a":"\u00e9" }', '{"b": [1, null, {"c": "x,y\"z"}]}', '{"x","","NULL",NULL,"a,b","c\"d\\e"}',
                '{{1,2},{3,4}}', 'it''s "ok", really', '{sad,NULL}', 100, '(1,"a ""b"" c")', '[1,5)',
                '["2024-01-01 00:00:00+00",infinity)', '::1/64', '10.0.0.0/8', '101', '', '<a b="c">x &amp; y</a>',
                'a:1A b:2'),
            (2, '[]', 'null', '{}', '{}', 'sad', '{}', null, '(,)', 'empty', null, '192.168.0.1', null, null, '1', null, ''),
            (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
        insert into "Odd Table" values (1, 'x', null, 7), (2, '', 'y', null);
        insert into shop.customer (name) values ('Zoë'), ('O''Hara'), ('Wu, "Li"');
        insert into shop.sale (customer, sold) select 1 + i % 3, date '2024-01-01' + i from generate_series(1, 100) i;
        insert into computed (id, word) values (1, 'one'), (21, 'twenty-one');
        insert into counted (note) values ('a'), ('b');
        insert into tricky values (1, E'before\n\\.\nafter'), (2, E'\\.'), (3, E'a\r\nb\rc');
        select setval('shop.customer_id_seq', 9007199254740993 % 2147483647);
        """#

    static let tables = [
        "public.item", "public.variety", "public.\"Odd Table\"", "shop.customer", "shop.sale", "public.fresh",
        "public.computed", "public.counted", "public.tricky",
    ]

    static let sequences = [
        "public.item_id_seq", "shop.customer_id_seq", "shop.sale_id_seq", "public.fresh_id_seq", "public.tally",
    ]

    /// A digest of all rows of a table, and how many there are.
    static func digest(_ table: String) -> String {
        "select count(*), md5(string_agg(t::text, chr(10) order by t::text collate \"C\")) from \(table) t"
    }

    /// A digest of a table's columns, constraints and indexes.
    static func definitionDigest(_ table: String) -> String {
        let relation = "'\(table)'::regclass"
        return """
            select md5(string_agg(line, chr(10) order by line collate "C")) from (
                select concat_ws(' ', attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
                    attgenerated, pg_get_expr(adbin, adrelid))
                from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
                where attrelid = \(relation) and attnum > 0
                union all select conname || pg_get_constraintdef(oid) from pg_constraint where conrelid = \(relation)
                union all select pg_get_indexdef(indexrelid) from pg_index where indrelid = \(relation)
            ) as lines (line)
            """
    }

    /// What the next `nextval` of a sequence returns.
    static func nextValue(_ sequence: String) -> String {
        """
        select case when is_called then last_value + (select seqincrement from pg_sequence
            where seqrelid = '\(sequence)'::regclass) else last_value end from \(sequence)
        """
    }
}
