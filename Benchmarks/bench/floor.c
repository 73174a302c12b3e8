/* What a client of Postgres cannot be faster than: COPY through libpq, in the simplest loop.
 *
 *     floor out FOLDER            writes FOLDER/TABLE.csv for each line of standard input
 *     floor out - TABLE           writes one table to standard output
 *     floor in FOLDER             empties the table of each line of standard input, and loads FOLDER/TABLE.csv
 *
 * Connects by the variables of libpq (PGHOST, PGDATABASE, …). */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };
static char buffer[BUFFER];

static void fail(const char *what, const char *why) {
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static void write_all(int file, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written < 0) fail("write", strerror(errno));
        bytes += written;
        count -= (size_t)written;
    }
}

static void execute(PGconn *connection, const char *statement, ExecStatusType expected) {
    PGresult *result = PQexec(connection, statement);
    if (PQresultStatus(result) != expected) fail(statement, PQerrorMessage(connection));
    PQclear(result);
}

/* Reads the results of a COPY that has ended. */
static void finish(PGconn *connection, const char *table) {
    PGresult *result;
    while ((result = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(table, PQerrorMessage(connection));
        PQclear(result);
    }
}

static void copy_out(PGconn *connection, const char *table, int file) {
    char statement[512], *row;
    size_t filled = 0;
    int count;
    snprintf(statement, sizeof statement, "COPY \"%s\" TO STDOUT CSV HEADER", table);
    execute(connection, statement, PGRES_COPY_OUT);
    while ((count = PQgetCopyData(connection, &row, 0)) > 0) {
        if (filled + (size_t)count > BUFFER) {
            write_all(file, buffer, filled);
            filled = 0;
        }
        if (count > BUFFER) {
            write_all(file, row, (size_t)count);
        } else {
            memcpy(buffer + filled, row, (size_t)count);
            filled += (size_t)count;
        }
        PQfreemem(row);
    }
    if (count == -2) fail(table, PQerrorMessage(connection));
    write_all(file, buffer, filled);
    finish(connection, table);
}

static void copy_in(PGconn *connection, const char *table, int file) {
    char statement[512];
    ssize_t count;
    snprintf(statement, sizeof statement, "TRUNCATE \"%s\"", table);
    execute(connection, "BEGIN", PGRES_COMMAND_OK);
    execute(connection, statement, PGRES_COMMAND_OK);
    snprintf(statement, sizeof statement, "COPY \"%s\" FROM STDIN CSV HEADER", table);
    execute(connection, statement, PGRES_COPY_IN);
    while ((count = read(file, buffer, BUFFER)) > 0)
        if (PQputCopyData(connection, buffer, (int)count) != 1) fail(table, PQerrorMessage(connection));
    if (count < 0) fail("read", strerror(errno));
    if (PQputCopyEnd(connection, NULL) != 1) fail(table, PQerrorMessage(connection));
    finish(connection, table);
    execute(connection, "COMMIT", PGRES_COMMAND_OK);
}

int main(int count, char **arguments) {
    if (count < 3) fail("usage", "floor out|in FOLDER");
    int is_out = strcmp(arguments[1], "out") == 0;
    PGconn *connection = PQconnectdb("");
    if (PQstatus(connection) != CONNECTION_OK) fail("connect", PQerrorMessage(connection));
    if (is_out && count == 4) {
        copy_out(connection, arguments[3], STDOUT_FILENO);
        PQfinish(connection);
        return 0;
    }
    char table[256], path[4096];
    while (fgets(table, sizeof table, stdin) != NULL) {
        table[strcspn(table, "\n")] = 0;
        snprintf(path, sizeof path, "%s/%s.csv", arguments[2], table);
        int file = is_out ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644) : open(path, O_RDONLY);
        if (file < 0) fail(path, strerror(errno));
        if (is_out) copy_out(connection, table, file);
        else copy_in(connection, table, file);
        close(file);
    }
    PQfinish(connection);
    return 0;
}
