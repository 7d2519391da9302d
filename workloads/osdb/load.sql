-- One statement a line. In a transaction with its table's creation a load need not be logged.
begin
create table tiny (col_key int not null)
create table uniques (col_key int not null, col_int int not null, col_signed int, col_float real not null, col_double double precision not null, col_decim numeric(18, 2) not null, col_date date not null, col_code char(10) not null, col_name char(20) not null, col_address varchar(80) not null)
create table hundred (like uniques including all)
create table tenpct (like uniques including all)
create table updates (like uniques including all)
copy tiny from '/tmp/osdb/tiny' with (freeze)
copy uniques from '/tmp/osdb/uniques' with (freeze)
copy hundred from '/tmp/osdb/hundred' with (freeze)
copy tenpct from '/tmp/osdb/tenpct' with (freeze)
copy updates from '/tmp/osdb/updates' with (freeze)
commit
create unique index uniques_key_bt on uniques (col_key)
create unique index hundred_key_bt on hundred (col_key)
create unique index tenpct_key_bt on tenpct (col_key)
create unique index updates_key_bt on updates (col_key)
create unique index updates_int_bt on updates (col_int)
create index updates_code_h on updates using hash (col_code)
create index updates_decim_bt on updates (col_decim)
create index updates_double_bt on updates (col_double)
vacuum analyze uniques, hundred, tenpct, updates
checkpoint
