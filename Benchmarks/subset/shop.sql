-- A shop whose rows belong to tenants, with what makes subsets hard: a cycle of two tables, tables that refer to
-- themselves, partitions, keys of two columns, a key that is not the primary one, two references to one table.
-- About 1,300 rows a tenant, 23 foreign keys. The same rows each time. Variable: tenants.
create table countries (code text primary key, name text not null);
create table products (
    id int primary key, sku text not null unique, country text references countries, title text not null
);
create table tenants (id int primary key, name text not null, owner_id int);
create table users (
    id int primary key, tenant_id int not null references tenants, manager_id int references users,
    email text not null unique, name text not null
);
alter table tenants add foreign key (owner_id) references users;
create table teams (id int primary key, tenant_id int not null references tenants, lead_id int references users);
create table memberships (
    team_id int references teams, user_id int references users, since date not null, primary key (team_id, user_id)
);
create table customers (
    id int primary key, tenant_id int not null references tenants, country text references countries, name text not null
);
create table orders (
    id int primary key, tenant_id int not null references tenants, customer_id int not null references customers,
    user_id int references users, replaced_by int references orders, placed_at timestamp not null
) partition by hash (id);
create table orders_0 partition of orders for values with (modulus 4, remainder 0);
create table orders_1 partition of orders for values with (modulus 4, remainder 1);
create table orders_2 partition of orders for values with (modulus 4, remainder 2);
create table orders_3 partition of orders for values with (modulus 4, remainder 3);
create table order_lines (
    order_id int references orders, no int, sku text not null references products (sku), quantity int not null,
    primary key (order_id, no)
);
create table shipments (
    id int primary key, order_id int not null, line_no int not null, sent date not null,
    foreign key (order_id, line_no) references order_lines
);
create table payments (id int primary key, order_id int not null references orders, amount numeric(10, 2) not null);
create table messages (
    id int primary key, sender_id int not null references users, recipient_id int references users,
    reply_to int references messages, body text not null
);
create table events (
    id int primary key, tenant_id int not null references tenants, user_id int references users, payload text not null
);

insert into countries select chr(65 + i / 26) || chr(65 + i % 26), 'Country ' || i from generate_series(0, 199) i;
insert into products
    select i, 'SKU-' || i, chr(65 + i % 200 / 26) || chr(65 + i % 200 % 26), 'Product ' || md5(i::text)
    from generate_series(1, 5000) i;
insert into tenants select t, 'Tenant ' || t from generate_series(1, :tenants) t;
-- 20 users, 3 teams, 30 memberships, 40 customers, 100 orders, 500 lines, 150 shipments, 120 payments, 60 messages and
-- 270 events a tenant.
insert into users
    select (t - 1) * 20 + i, t, nullif((t - 1) * 20 + i / 2, (t - 1) * 20), 'u' || (t - 1) * 20 + i || '@example.com',
        md5('u' || (t - 1) * 20 + i)
    from generate_series(1, :tenants) t, generate_series(1, 20) i;
update tenants set owner_id = (id - 1) * 20 + 1;
insert into teams
    select (t - 1) * 3 + i, t, (t - 1) * 20 + i from generate_series(1, :tenants) t, generate_series(1, 3) i;
insert into memberships
    select (t - 1) * 3 + i, (t - 1) * 20 + j, date '2026-01-01' + j
    from generate_series(1, :tenants) t, generate_series(1, 3) i, generate_series(1, 10) j;
insert into customers
    select (t - 1) * 40 + i, t, chr(65 + i % 26) || chr(65 + i % 7), md5('c' || (t - 1) * 40 + i)
    from generate_series(1, :tenants) t, generate_series(1, 40) i
    where chr(65 + i % 26) || chr(65 + i % 7) in (select code from countries)
    union all
    select (t - 1) * 40 + i, t, null, md5('c' || (t - 1) * 40 + i)
    from generate_series(1, :tenants) t, generate_series(1, 40) i
    where chr(65 + i % 26) || chr(65 + i % 7) not in (select code from countries);
insert into orders
    select (t - 1) * 100 + i, t, (t - 1) * 40 + 1 + i % 40, (t - 1) * 20 + 1 + i % 20,
        case when i % 10 = 0 then (t - 1) * 100 + i - 1 end, timestamp '2026-01-01' + i * interval '1 h'
    from generate_series(1, :tenants) t, generate_series(1, 100) i order by i, t;
insert into order_lines
    select (t - 1) * 100 + i, n, 'SKU-' || 1 + (t * 7919 + i * 31 + n) % 5000, 1 + n
    from generate_series(1, :tenants) t, generate_series(1, 100) i, generate_series(1, 5) n order by i, t, n;
insert into shipments
    select (t - 1) * 150 + i, (t - 1) * 100 + 1 + i % 100, 1 + i % 5, date '2026-02-01' + i
    from generate_series(1, :tenants) t, generate_series(1, 150) i order by i, t;
insert into payments
    select (t - 1) * 120 + i, (t - 1) * 100 + 1 + i % 100, i * 1.5
    from generate_series(1, :tenants) t, generate_series(1, 120) i order by i, t;
insert into messages
    select (t - 1) * 60 + i, (t - 1) * 20 + 1 + i % 20, (t - 1) * 20 + 1 + i * 7 % 20,
        nullif((t - 1) * 60 + i - 1, (t - 1) * 60), repeat(md5(i::text), 3)
    from generate_series(1, :tenants) t, generate_series(1, 60) i order by i, t;
insert into events
    select (t - 1) * 270 + i, t, (t - 1) * 20 + 1 + i % 20, repeat(md5((t * i)::text), 8)
    from generate_series(1, :tenants) t, generate_series(1, 270) i order by i, t;

create index on users (tenant_id);
create index on users (manager_id);
create index on tenants (owner_id);
create index on teams (tenant_id);
create index on teams (lead_id);
create index on memberships (user_id);
create index on customers (tenant_id);
create index on customers (country);
create index on products (country);
create index on orders (tenant_id);
create index on orders (customer_id);
create index on orders (user_id);
create index on orders (replaced_by);
create index on order_lines (sku);
create index on shipments (order_id, line_no);
create index on payments (order_id);
create index on messages (sender_id);
create index on messages (recipient_id);
create index on messages (reply_to);
create index on events (tenant_id);
create index on events (user_id);
vacuum analyze;
