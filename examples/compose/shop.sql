create table customers (id integer primary key, name text not null);
create table sales (id integer primary key, customer_id integer not null references customers, note text);
insert into customers select n, 'Customer ' || n from generate_series(1, 100) n;
insert into sales select n, n % 100 + 1, 'Sale ' || n from generate_series(1, 1000) n;
