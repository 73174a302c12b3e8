-- Text: eight columns of about 200 characters, with commas, quotes and line breaks, which a row keeps in its page.
-- Takes the number of rows as the variable `rows`.
create table wide (a text, b text, c text, d text, e text, f text, g text, h text);
select setseed(0.4);
create temp table sentences as
select
    i,
    (
        select string_agg(
            (string_to_array('the quick, brown "fox" jumps over a lazy dog while it rains; später wird''s Tag', ' '))
            [1 + (i * 31 + j * j * 7 + i / (j + 1)) % 15],
            case when (i + j) % 40 = 0 then e'\n' else ' ' end
        )
        from generate_series(1, 40) as j
    ) as text
from generate_series(0, 997) as i;
create index on sentences (i);
analyze sentences;
insert into wide
select a.text, b.text, c.text, d.text, e.text, f.text, g.text, h.text
from generate_series(1, :rows) as n
join sentences as a on a.i = n % 998
join sentences as b on b.i = n * 3 % 998
join sentences as c on c.i = n * 5 % 998
join sentences as d on d.i = n * 7 % 998
join sentences as e on e.i = n * 11 % 998
join sentences as f on f.i = n * 13 % 998
join sentences as g on g.i = n * 17 % 998
join sentences as h on h.i = n * 19 % 998
order by n;
vacuum (freeze, analyze) wide;
