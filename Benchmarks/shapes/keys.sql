-- Sales as in sales.sql, of customers, with a primary key, a foreign key and two indexes: what a restore finds in place.
-- Takes the number of rows as the variable `rows`.
create table customers (id integer primary key, name text not null);
insert into customers select i, 'Customer ' || i from generate_series(0, 49999) as i;
create table purchases (
    id bigint not null,
    customer_id integer not null,
    store_id integer not null,
    product text not null,
    bought_at timestamptz not null,
    price numeric(10, 2) not null,
    paid boolean not null
);
insert into purchases
select
    i, i * 7919::bigint % 50000, i % 40, 'Product ' || i * 104729::bigint % 100000,
    timestamptz '2021-01-01' + i * interval '17.3 seconds', i % 99991 / 100.0, i % 10 <> 0
from generate_series(1, :rows) as i;
alter table purchases add constraint purchases_pkey primary key (id);
alter table purchases add constraint purchases_customer foreign key (customer_id) references customers;
create index purchases_customer_id on purchases (customer_id);
create index purchases_product on purchases (product, bought_at);
vacuum (freeze, analyze) customers, purchases;
