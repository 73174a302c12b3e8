-- A shop's sales, as real ones look: keys, times, decimals, names, and a note in every second row.
-- Takes the number of rows as the variable `rows`.
create table sales (
    id bigint primary key,
    store_id integer not null,
    product_id integer not null,
    customer text not null,
    email text not null,
    sold_at timestamptz not null,
    quantity integer not null,
    price numeric(10, 2) not null,
    total numeric(12, 2) not null,
    paid boolean not null,
    note text
);
select setseed(0.4);
with words as (
    select
        string_to_array('Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Karla Leo Mia Noah Olga Ute', ' ') as given,
        string_to_array('Ahrens Berger Claussen Dietrich Ebert Fischer Graf Huber Ivers Jung Koch Lang', ' ') as family,
        string_to_array(
            'delivery,requested,gift wrapped,returned,called back,late,shipment,express,fragile,loyalty discount,'
            'second attempt,neighbour accepted,parcel left at door,invoice corrected,replacement promised', ','
        ) as note
),
sale as (
    select
        i,
        given[1 + floor(random() * 16)] as given,
        family[1 + floor(random() * 12)] as family,
        1 + floor(random() * 9)::integer as quantity,
        (random() * 200)::numeric(10, 2) as price,
        concat_ws(
            ', ', note[1 + floor(random() * 15)], note[1 + floor(random() * 15)], note[1 + floor(random() * 15)]
        ) as note
    from generate_series(1, :rows) as i, words
)
insert into sales
select
    i, 1 + floor(random() * 40), 1 + floor(random() * 50000), given || ' ' || family,
    lower(given || '.' || family) || floor(random() * 1000) || '@example.com',
    timestamptz '2021-01-01' + i * interval '17.3 seconds' + random() * interval '15 seconds',
    quantity, price, quantity * price, random() < 0.9, case when random() < 0.5 then note end
from sale;
vacuum (freeze, analyze) sales;
