/// An application for invoices: generated columns, rules, triggers, views for exports, materialized views without data.
enum BillingSchema {
    /// Statements that create it.
    static let definitions = #"""
        create extension pgcrypto; create extension unaccent;
        create schema partman_like; create schema ledger;
        create type customer_type as enum ('company', 'individual');
        create type invoice_status as enum ('draft', 'finalized', 'voided');
        create type tax_result as (rate numeric(5, 2), amount bigint);
        create domain cents as bigint default 0 not null check (value >= 0);
        create domain currency as varchar(3) check (value ~ '^[A-Z]{3}$');
        create function ledger.unaccented(text) returns text language sql immutable parallel safe as
          $$ select public.unaccent('public.unaccent', $1) $$;
        create function ledger.stamp() returns trigger language plpgsql security definer set search_path =
          pg_catalog as $$
        begin
            if new.updated_at is not distinct from old.updated_at then new.updated_at := now(); end if;
            return new;
        end $$;
        create function ledger.refuse() returns trigger language plpgsql as
          $$ begin raise exception 'entries are final'; end $$;
        create function ledger.round_half_even(value numeric, digits int default 2) returns numeric language sql
          immutable strict return round(value, digits);
        create sequence ledger.number_seq as bigint start 1000 increment 10 cache 5 cycle maxvalue 99999;
        create table organizations (id uuid default gen_random_uuid() not null primary key, name varchar not null,
          settings jsonb default '{}' not null,
            created_at timestamp(6) without time zone not null default now(), document_locale varchar default 'en'
          not null,
            premium_integrations varchar[] default '{}'::varchar[] not null, webhook_secret bytea default
          gen_random_bytes(4));
        create table customers (id uuid default gen_random_uuid() primary key, organization_id uuid not null
          references organizations on update cascade,
            kind customer_type, external_id varchar not null, name varchar, search text generated always as
          (lower(external_id)) stored,
            currency currency, deleted_at timestamp, updated_at timestamp, constraint has_name check (name is not
          null or kind is null) not valid);
        create unique index customers_external on customers (organization_id, external_id) where deleted_at is null;
        create index customers_name on customers (ledger.unaccented(name) text_pattern_ops) include (kind);
        create index customers_settings on organizations using gin (settings jsonb_path_ops);
        create table invoices (id uuid default gen_random_uuid() primary key, customer_id uuid not null references
          customers deferrable initially deferred,
            number bigint default nextval('ledger.number_seq') not null, status invoice_status default 'draft' not
          null, total cents, tax tax_result,
            issued date default current_date, period tstzrange, unique nulls not distinct (customer_id, number));
        alter table invoices add constraint one_period exclude using gist (period with &&) where (status =
          'finalized');
        create table fees (id uuid default gen_random_uuid() primary key, invoice_id uuid references invoices on
          delete set null, amount cents, units numeric default 1 not null, properties jsonb);
        create table ledger.entries (id bigint generated always as identity, at timestamptz not null, account text,
          amount bigint) partition by range (at);
        create table ledger.entries_2024 partition of ledger.entries (primary key (id)) for values from
          ('2024-01-01') to ('2025-01-01');
        create table ledger.entries_default partition of ledger.entries default;
        create index entries_account on only ledger.entries (account);
        create index entries_2024_account on ledger.entries_2024 (account); alter index ledger.entries_account
          attach partition ledger.entries_2024_account;
        create table partman_like.events (id bigint, tenant text, body jsonb) partition by hash (tenant);
        create table partman_like.events_0 partition of partman_like.events for values with (modulus 2, remainder
          0);
        create table partman_like.events_1 partition of partman_like.events for values with (modulus 2, remainder
          1);
        create trigger stamp before update on customers for each row when (old.name is distinct from new.name)
          execute function ledger.stamp();
        create trigger refuse before update or delete on ledger.entries for each row execute function
          ledger.refuse();
        create constraint trigger checked after insert on fees deferrable initially deferred for each row execute
          function ledger.refuse();
        alter table fees disable trigger checked; alter table customers enable always trigger stamp;
        create view exports_customers as select c.id as lago_id, c.organization_id, c.name, to_json(o.settings) as
          settings from customers c join organizations o on o.id = c.organization_id;
        create view exports_fees as select f.id, f.invoice_id, f.amount::bigint as cents, (f.properties ->> 'plan')
          as plan from fees f;
        create view billable_metrics_grouped as select organization_id, jsonb_object_agg(coalesce(external_id, ''),
          name) as names from customers group by organization_id;
        create view a_overview as select e.lago_id, g.names from exports_customers e left join
          billable_metrics_grouped g using (organization_id);
        create view b_lateral as select c.id, l.last_total from customers c left join lateral (select i.total as
          last_total from invoices i where i.customer_id = c.id order by i.issued desc limit 1) l on true;
        create materialized view last_hour as select customer_id, sum(total) as total from invoices group by
          customer_id with no data;
        create materialized view totals as select c.id, sum(i.total) as total from customers c join invoices i on
          i.customer_id = c.id group by c.id;
        create unique index totals_id on totals (id); create index last_hour_total on last_hour (total desc nulls
          last);
        create view over_totals as select * from totals where total > 0;
        create view from_pending as select * from last_hour;
        create materialized view over_pending as select count(*) from from_pending with no data;
        create function invoice_lines(invoices) returns setof fees language sql stable rows 10 as
          $$ select * from fees where invoice_id = $1.id $$;
        create function customers_full_name(c customers) returns text language sql stable as
          $$ select c.name || ' ' || c.external_id $$;
        create view with_functions as select i.id, (select count(*) from invoice_lines(i)) as lines from invoices i;
        create rule no_delete as on delete to organizations do instead update organizations set settings = '{}'
          where id = old.id;
        create rule redirect as on insert to exports_fees do instead insert into fees (id, amount) values (new.id,
          new.cents);
        create statistics invoice_stats (mcv) on status, issued from invoices;
        alter table invoices replica identity full; alter table fees alter column properties set storage external,
          alter column units set statistics 77;
        comment on table invoices is E'invoices\n-- with a line; and a "quote"'; comment on column invoices.total
          is 'in cents'; comment on domain cents is 'money';
        comment on type tax_result is 'a rate'; comment on sequence ledger.number_seq is 'numbers'; comment on
          schema ledger is 'books';
        comment on trigger stamp on customers is 'stamps'; comment on rule no_delete on organizations is 'soft';
          comment on index customers_name is 'search';
        comment on function ledger.round_half_even(numeric, int) is 'rounds'; comment on materialized view totals
          is 'sums';
        """#

    /// Rows for it.
    static let rows = #"""
        insert into organizations (id, name) values ('00000000-0000-0000-0000-000000000001', 'Acme'),
          ('00000000-0000-0000-0000-000000000002', 'Ümlaut');
        insert into customers (id, organization_id, external_id, name, currency) values
          ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001', 'C-1', 'Zoë', 'EUR'),
          ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000002', 'C-2', 'Bob', null);
        insert into invoices (id, customer_id, status, total, tax, period) values
          ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-000000000003', 'finalized', 1234,
          row(19, 197), '[2024-01-01, 2024-02-01)'), ('00000000-0000-0000-0000-000000000006',
          '00000000-0000-0000-0000-000000000003', 'draft', 5, null, null);
        insert into fees (id, invoice_id, amount, properties) values ('00000000-0000-0000-0000-000000000007',
          '00000000-0000-0000-0000-000000000005', 7, '{"plan": "gold"}');
        insert into ledger.entries (at, account, amount) values ('2024-03-03 03:03+00', 'bank', 100),
          ('2030-01-01 00:00+00', 'cash', -100);
        insert into partman_like.events values (1, 'a', '{}'), (2, 'b', '[]'), (3, 'c', null);
        refresh materialized view totals;
        """#
}
