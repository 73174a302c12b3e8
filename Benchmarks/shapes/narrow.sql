-- Integers and nothing else: the most rows a megabyte. Takes the number of rows as the variable `rows`.
create table narrow (id integer not null, store smallint not null, product integer not null, quantity integer not null);
insert into narrow
select i, i % 40, i * 7919::bigint % 50000, i % 9 + 1 from generate_series(1, :rows) as i;
vacuum (freeze, analyze) narrow;
