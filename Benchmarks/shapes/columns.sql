-- As many columns as a table can have: 1,600. Takes the number of rows as the variable `rows`.
select 'create table columns (' || string_agg('c' || i || ' integer', ', ') || ')' from generate_series(1, 1600) as i \gexec
select 'insert into columns select ' || string_agg('n * ' || i || ' % 9973', ', ') || ' from generate_series(1, ' || :rows || ') as n'
from generate_series(1, 1600) as i \gexec
vacuum (freeze, analyze) columns;
