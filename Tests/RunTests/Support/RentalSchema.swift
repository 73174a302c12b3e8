/// A film rental: extensions in a schema of their own, views on views, types and operators of all kinds.
enum RentalSchema {
    /// Statements that create it.
    static let definitions = #"""
        create schema staff; create schema util; create schema reports;
        comment on schema reports is 'what the office looks at';
        create extension pg_trgm with schema util; create extension hstore with schema util; create extension
          citext;
        create extension "uuid-ossp" with schema util; create extension btree_gist;
        create type rating as enum ('G', 'PG', 'R'); comment on type rating is 'who may watch';
        create domain release_year as int constraint known_year check (value between 1901 and 2155);
        comment on constraint known_year on domain release_year is 'films are that old';
        create domain bounded_year as release_year check (value < 2100);
        create type address as (street text, zip text);
        create type price_span as range (subtype = numeric);
        create type loudness;
        create function loudness_in(cstring) returns loudness language internal immutable strict as 'int4in';
        create function loudness_out(loudness) returns cstring language internal immutable strict as 'int4out';
        create type loudness (input = loudness_in, output = loudness_out, like = int4);
        create cast (loudness as int4) without function as implicit;
        create function to_address(text) returns address language sql immutable as
          $$ select row($1, null)::address $$;
        create cast (text as address) with function to_address(text); comment on cast (text as address) is
          'a street alone';
        create collation names (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        create text search dictionary plain_words (template = simple, stopwords = english);
        create text search configuration films (copy = english);
        alter text search configuration films alter mapping for asciiword with plain_words;
        create function group_sum(numeric, numeric) returns numeric language sql immutable as
          'select coalesce($1, 0) + coalesce($2, 0)';
        create aggregate total(numeric) (sfunc = group_sum, stype = numeric, initcond = '0');
        create function near(int, int) returns boolean language sql immutable as 'select abs($1 - $2) < 2';
        create operator ~~~ (leftarg = int, rightarg = int, function = near, commutator = ~~~);
        create operator family ints using btree; create operator class ints_desc for type int using btree family
          ints as
            operator 1 >, operator 2 >=, operator 3 =, operator 4 <=, operator 5 <, function 1 btint4cmp(int, int);
        create procedure util.tidy() language plpgsql as 'begin null; end';
        create function touched() returns trigger language plpgsql as
          $$ begin new.changed = now(); return new; end $$;
        create function new_code() returns text language plpgsql as
          $$ begin return left(util.uuid_generate_v4()::text, 8); end $$;
        create function similar_titles(text) returns setof text language plpgsql as
            $$ begin return query select title from public.film where title operator(util.%) $1; end $$;
        create sequence film_id_seq;
        create table language (id int generated always as identity primary key, name text collate names not null
          unique);
        create table film (id int default nextval('film_id_seq') primary key, title text not null, code text
          default new_code(),
            released release_year, language_id int not null references language, rating rating default 'G', cost
          price_span,
            attributes util.hstore, words tsvector, tags text[], mail citext, changed timestamptz default now(),
          loud loudness,
            length int check (length > 0), hours numeric generated always as (length / 60.0) stored,
            exclude using gist (language_id with =, cost with &&));
        alter sequence film_id_seq owned by film.id;
        create index film_words on film using gin (words); create index film_title on film using gin (title
          util.gin_trgm_ops);
        create index film_length on film (length ints_desc);
        create statistics film_stats (dependencies, ndistinct) on length, rating from film;
        comment on statistics film_stats is 'they go together';
        create trigger film_touch before update on film for each row execute function touched();
        create trigger film_words before insert or update on film for each row execute function
            tsvector_update_trigger(words, 'pg_catalog.english', title);
        create table actor (id serial primary key, first_name text, last_name text, lives address);
        create table film_actor (film_id int references film on delete cascade, actor_id int references actor,
          primary key (film_id, actor_id));
        create table staff.member (id serial primary key, name text, boss_id int references staff.member, hired
          date);
        alter table staff.member enable row level security;
        create policy own on staff.member using (name = current_user);
        create policy no_interns on staff.member as restrictive for update using (hired is not null);
        create table payment (id bigint generated by default as identity, film_id int, paid date not null, amount
          numeric(8, 2), primary key (id, paid))
            partition by range (paid);
        create table payment_2024 partition of payment for values from ('2024-01-01') to ('2025-01-01') partition
          by range (paid);
        create table payment_2024_one partition of payment_2024 for values from ('2024-01-01') to ('2024-03-01');
        create table payment_2024_rest partition of payment_2024 default;
        create table reports.payment_2025 partition of payment for values from ('2025-01-01') to ('2026-01-01');
        create index on payment (film_id);
        create table note (id int, body text); create table film_note (film_id int references film) inherits (note);
        create unlogged table scratch (x int);
        create view z_film as select f.id, f.title, l.name as language from film f join language l on l.id =
          f.language_id;
        create view a_film as select * from z_film where title is not null with local check option;
        create view reports.m_film with (security_barrier) as select count(*) as n, language from a_film group by
          language;
        create view loop_a as select 1 as id; create view loop_b as select id from loop_a;
        create or replace view loop_a as select id from (select 1 as id) s;
        create view actor_info as select a.id, a.first_name, (select total(f.length) from film_actor fa join film f
          on f.id = fa.film_id where fa.actor_id = a.id) as minutes from actor a group by a.id;
        create recursive view bosses (id, level) as select id, 0 from staff.member where boss_id is null union all
          select m.id, level + 1 from staff.member m join bosses b on b.id = m.boss_id;
        create materialized view reports.sales as select film_id, sum(amount) as amount from payment group by
          film_id;
        create unique index sales_film on reports.sales (film_id);
        create materialized view reports.best as select * from reports.sales where amount > 5;
        create materialized view reports.pending as select * from reports.sales with no data;
        create view reports.best_titles as select f.title, b.amount from reports.best b join film f on f.id =
          b.film_id;
        comment on view reports.best_titles is 'best'; comment on column reports.best_titles.title is 'the title';
        comment on materialized view reports.sales is 'sales';
        create function film_row(film) returns text language sql stable as 'select $1.title';
        create function best() returns setof reports.best_titles language sql stable as
          'select * from reports.best_titles';
        create view reports.by_function as select * from best();
        create rule film_view_insert as on insert to z_film do instead insert into language (name) values
          (new.language);
        create rule keep_notes as on delete to note do instead nothing; comment on rule keep_notes on note is
          'never';
        create function view_changed() returns trigger language plpgsql as 'begin return null; end';
        create trigger a_film_delete instead of delete on a_film for each row execute function view_changed();
        alter table film disable trigger film_touch;
        create view defaulted as select id, name from language; alter view defaulted alter column name set default
          'English';
        """#

    /// Rows for it.
    static let rows = #"""
        insert into language (name) values ('English'), ('Deutsch');
        insert into film (title, language_id, length, cost, attributes) values ('Alien', 1, 117, '[1,2)', 'a=>1'),
          ('M', 2, 99, null, null), ('Das Boot', 2, 149, '[3,4]', 'b=>2');
        insert into actor (first_name, last_name, lives) values ('Sigourney', 'Weaver', row('A', '1')), ('Peter',
          'Lorre', 'Street'::text::address);
        insert into film_actor values (1, 1), (2, 2);
        insert into staff.member (name, boss_id, hired) values ('Ann', null, '2020-01-01'), ('Bob', 1, null);
        insert into payment (film_id, paid, amount) values (1, '2024-02-03', 4.5), (1, '2025-02-03', 2.5), (2,
          '2024-05-05', 3), (3, '2025-06-07', 9);
        insert into note values (1, 'x'); insert into film_note values (2, 'y', 1);
        refresh materialized view reports.sales; refresh materialized view reports.best;
        """#
}
