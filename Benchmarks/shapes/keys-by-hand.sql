-- The fastest way to replace all rows of purchases in one transaction. Takes the CSV file as the variable `file`.
begin;
set local maintenance_work_mem = '512MB';
truncate purchases;
alter table purchases drop constraint purchases_customer;
alter table purchases drop constraint purchases_pkey;
drop index purchases_customer_id, purchases_product;
copy purchases from :'file' (format csv, header, freeze);
alter table purchases add constraint purchases_pkey primary key (id);
create index purchases_customer_id on purchases (customer_id);
create index purchases_product on purchases (product, bought_at);
alter table purchases add constraint purchases_customer foreign key (customer_id) references customers;
commit;
analyze purchases;
