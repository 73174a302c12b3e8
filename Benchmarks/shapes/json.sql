-- A document of about 1 KB in each row. Takes the number of rows as the variable `rows`.
create table documents (id bigint primary key, body jsonb not null);
insert into documents
select
    i,
    jsonb_build_object(
        'id', i, 'kind', (array['order', 'return', 'invoice'])[1 + i % 3], 'paid', i % 7 <> 0, 'total', i % 10007 / 100.0,
        'customer', jsonb_build_object(
            'name', 'Customer ' || i % 5000, 'email', 'customer' || i % 5000 || '@example.com', 'address', jsonb_build_array(
                'Lindenstraße ' || i % 120, 10000 + i % 80000, 'Köln')),
        'lines', (
            select jsonb_agg(jsonb_build_object(
                'product', (i * j) % 50000, 'text', 'Product ' || md5((i + j)::text), 'quantity', j, 'price', i * j % 9973 / 100.0))
            from generate_series(1, 7) as j))
from generate_series(1, :rows) as i;
vacuum (freeze, analyze) documents;
