-- The same closure in temporary tables, as tools that run on a primary only do it: chosen and linked rows by their
-- addresses, rounds until nothing is new. Variable: a setting bench.start, the condition of the tenants.
set jit = off;
set work_mem = '256MB';
create temp table arcs as
select row_number() over () as id, f.conrelid::regclass as child, f.confrelid::regclass as parent,
    (select string_agg(format('c.%I = p.%I', a.attname, b.attname), ' and ')
     from unnest(f.conkey, f.confkey) u (x, y)
     join pg_attribute a on (a.attrelid, a.attnum) = (f.conrelid, u.x)
     join pg_attribute b on (b.attrelid, b.attnum) = (f.confrelid, u.y)) as condition
from pg_constraint f where f.contype = 'f' and f.conparentid = 0;
create temp table kept (tab regclass, o oid, r tid, round int, state int);
create index on kept (tab, o, r);
create index on kept (tab, round, state);
do $$
declare
    arc record;
    step int := 0;
    new bigint;
    added bigint;
    phase int;
begin
    execute format('insert into kept select ''tenants'', tableoid, ctid, 0, 1 from tenants where %s',
        current_setting('bench.start'));
    analyze kept;
    -- First what is chosen, from parents to children; then what any row refers to.
    for phase in 1..2 loop
        if phase = 2 then update kept set round = step; end if;
        loop
            step := step + 1;
            new := 0;
            for arc in select * from arcs loop
                if phase = 1 then
                    execute format(
                        'insert into kept select distinct %L::regclass, c.tableoid, c.ctid, %s, 1 from kept k
                         join %s p on (p.tableoid, p.ctid) = (k.o, k.r) join %s c on %s
                         where k.tab = %L::regclass and k.round = %s and k.state = 1
                         and not exists (select from kept x where (x.tab, x.o, x.r) = (%L::regclass, c.tableoid, c.ctid))',
                        arc.child, step, arc.parent, arc.child, arc.condition, arc.parent, step - 1, arc.child);
                else
                    execute format(
                        'insert into kept select distinct %L::regclass, p.tableoid, p.ctid, %s, 0 from kept k
                         join %s c on (c.tableoid, c.ctid) = (k.o, k.r) join %s p on %s
                         where k.tab = %L::regclass and k.round = %s
                         and not exists (select from kept x where (x.tab, x.o, x.r) = (%L::regclass, p.tableoid, p.ctid))',
                        arc.parent, step, arc.child, arc.parent, arc.condition, arc.child, step - 1, arc.parent);
                end if;
                get diagnostics added = row_count;
                new := new + added;
            end loop;
            exit when new = 0;
            analyze kept;
        end loop;
    end loop;
end $$;
select count(*) from kept;
