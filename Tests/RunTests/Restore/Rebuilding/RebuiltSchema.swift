/// Tables with one of almost every kind of index and key, and rows for them.
enum RebuiltSchema {
    /// What comes back after a load in which it was dropped.
    static let tables = #"""
        create schema s;
        create schema "odd. ""schema""";
        create function s.whole(int) returns int language plpgsql immutable as 'begin return $1; end';
        create type s.pair as (a int, b int);
        create table s.maker (id int primary key, code text constraint maker_code unique, area int, unique (id, area));
        comment on constraint maker_pkey on s.maker is 'of the constraint';
        comment on index s.maker_pkey is 'of the index: it''s one';
        create unique index maker_index on s.maker (area, id);

        create table s.product (
            id bigint generated always as identity, maker int not null, area int, code text, part_of bigint, price numeric,
            during int4range, tags text[], note text collate "C",
            constraint "product key" primary key (id) with (fillfactor = 70),
            constraint later unique (code) deferrable initially deferred,
            constraint deferrable_later unique (code, area) deferrable,
            constraint covering unique (maker, id) include (price, code),
            constraint together unique nulls not distinct (area, code),
            constraint apart exclude using gist (during with &&) where (id > 2) deferrable initially deferred
        );
        alter table s.product
            add constraint "its maker" foreign key (maker) references s.maker on delete cascade on update set null
                deferrable initially deferred,
            add constraint in_pairs foreign key (maker, area) references s.maker (id, area) match full on delete restrict,
            add constraint by_index foreign key (area, maker) references s.maker (area, id) on delete set null (area),
            add constraint by_code foreign key (code) references s.maker (code) deferrable,
            add constraint itself foreign key (part_of) references s.product,
            add constraint unchecked foreign key (part_of) references s.product on delete set default not valid;
        comment on constraint "its maker" on s.product is 'who made it';
        comment on constraint together on s.product is 'both';
        create index "by ""price"".index" on s.product (price desc nulls last, maker asc nulls first);
        create unique index partly on s.product (code text_pattern_ops) include (note) where price > 0;
        create index expressions on s.product (lower(code), (price + 1), (note collate "POSIX") desc)
            with (fillfactor = 55, deduplicate_items = off);
        alter index s.expressions alter column 1 set statistics 300;
        alter index s.expressions alter column 2 set statistics 0;
        create index lists on s.product using gin (tags) with (fastupdate = off);
        create index blocks on s.product using brin (id int8_minmax_multi_ops (values_per_range = 16)) with (pages_per_range = 4);
        create index hashes on s.product using hash (maker);
        create index ranges on s.product using gist (during range_ops) where during is not null;
        create unique index identity on s.product (maker, id);
        alter table s.product replica identity using index identity;
        alter table s.product cluster on "by ""price"".index";
        create statistics s.related (dependencies) on maker, area from s.product;

        create table "odd. ""schema"""."Tab""le." (id int primary key, n int unique, "é" int references s.maker);
        create index "é" on "odd. ""schema"""."Tab""le." ("é");
        create unlogged table s.unlogged (id int primary key, maker int references s.maker);

        create table s.egg (id int primary key, hen int not null);
        create table s.hen (id int primary key, egg int not null references s.egg);
        alter table s.egg add constraint of_hen foreign key (hen) references s.hen;

        create table s.ancestor (id int primary key, maker int references s.maker);
        create table s.heir (extra int, primary key (id)) inherits (s.ancestor);
        create index heirs on s.heir (extra);

        create table s.event (at int, kind int, maker int references s.maker, primary key (at)) partition by range (at);
        create table s.event_1 partition of s.event for values from (0) to (10);
        create table s.event_2 partition of s.event for values from (10) to (20) partition by list (at);
        create table s.event_2a partition of s.event_2 for values in (10, 11);
        create index event_kind on s.event (kind);
        create index event_2_own on s.event_2 (kind desc) with (fillfactor = 60);
        create index event_2a_own on s.event_2a (kind desc) with (fillfactor = 50);
        create index "event's" on only s.event (kind desc);
        create index event_1_own on s.event_1 (kind desc);
        alter index s."event's" attach partition s.event_1_own;
        alter index s."event's" attach partition s.event_2_own;
        comment on index s."event's" is 'attached';
        comment on index s.event_1_own is 'a part';
        alter table s.event_1 cluster on event_1_own;
        create index only_here on s.event_1 (kind, at);
        create table s.seen (id int, at int references s.event on delete cascade);
        """#

    /// What stays, because it would not come back as it was, or because something needs it.
    static let kept = #"""
        create table s.grouped (id int primary key, name text, constraint grouped_name unique (name));
        create view s.groups as select id, name from s.grouped group by id;
        create table s.ruled (id int constraint ruled_key unique, n int constraint other unique);
        create rule ruled as on insert to s.ruled where new.id < 0 do also
            insert into s.maker (id) values (new.id) on conflict on constraint maker_code do nothing;
        create table s.own (id int, n int);
        create index calls on s.own (s.whole(n));
        create index with_extension on s.own (id);
        alter index s.with_extension depends on extension plpgsql;
        create table s.quiet (id int primary key, maker int references s.maker);
        alter table s.quiet disable trigger all;
        create table s.referred (id int primary key, n int unique);
        create table s.referrer (id int references s.referred (n));
        alter table s.referrer disable trigger all;
        """#

    /// Rows for all of them.
    static let rows = #"""
        insert into s.maker select n, 'code ' || n, n % 2 from generate_series(1, 6) n;
        insert into s.product (maker, area, code, part_of, price, during, tags, note)
            select n, n % 2, 'code ' || n, case when n > 1 then n - 1 end, n * 1.5, int4range(n * 2, n * 2 + 1), array['a', n::text],
                'note' from generate_series(1, 6) n;
        insert into "odd. ""schema"""."Tab""le." values (1, 1, 1), (2, null, 2);
        insert into s.unlogged values (1, 1);
        begin;
        alter table s.egg drop constraint of_hen;
        insert into s.egg values (1, 1), (2, 2);
        insert into s.hen values (1, 2), (2, 1);
        alter table s.egg add constraint of_hen foreign key (hen) references s.hen;
        commit;
        insert into s.ancestor values (1, 1);
        insert into s.heir values (2, 2, 2);
        insert into s.event values (1, 1, 1), (10, 2, 2), (11, 2, 3);
        insert into s.seen values (1, 1), (2, 10);
        insert into s.grouped values (1, 'a');
        insert into s.own values (1, 1);
        insert into s.quiet values (1, 1);
        insert into s.referred values (1, 1);
        insert into s.referrer values (1);
        """#

    /// What versions after 15 have brought, by the version.
    static let newer: [Int: String] = [
        18: """
        create table s.booking (room int4range, during daterange, n int4range,
            constraint booking_key primary key (room, during without overlaps),
            constraint booking_n unique (room, n, during without overlaps) with (fillfactor = 60));
        create table s.stay (room int4range, during daterange,
            constraint stay_booking foreign key (room, period during) references s.booking (room, period during));
        -- The server truncates a table together with one that does not enforce its reference only if that one has triggers,
        -- such as those of another key.
        create table s.lax (id int primary key, maker int, peer int references s.lax,
            constraint lax_maker foreign key (maker) references s.maker not enforced,
            constraint lax_positive check (id > 0) not enforced);
        create table s.sire (id int primary key);
        create table s.foal (extra int) inherits (s.sire);
        alter table s.foal add primary key (id) include (extra);
        create table s.filly () inherits (s.sire);
        alter table s.filly add primary key (id) with (fillfactor = 60);
        insert into s.sire values (1); insert into s.foal values (2, 3); insert into s.filly values (4);
        insert into s.booking values ('[1,2)', '[2026-01-01,2026-02-01)', '[1,2)');
        insert into s.stay values ('[1,2)', '[2026-01-03,2026-01-05)');
        insert into s.lax values (1, 99);
        """
    ]
}
