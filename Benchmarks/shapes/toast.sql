-- Values of 100 KB, which are kept out of line and cannot be compressed by the server.
-- Takes the number of rows as the variable `rows`.
create table attachments (id bigint primary key, name text not null, body text not null);
alter table attachments alter body set storage external;
create temp table blocks as
select array_agg((select string_agg(md5(i || '.' || j), '') from generate_series(1, 32) as j)) as block
from generate_series(1, 1000) as i;
insert into attachments
select
    i, 'file ' || i,
    (select string_agg(block[1 + (i * 7919::bigint + j * j * 31 + j * i) % 1000], '') from generate_series(1, 98) as j)
from generate_series(1, :rows) as i, blocks;
vacuum (freeze, analyze) attachments;
