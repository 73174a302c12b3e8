/// Texts that a user may write into a database, and that look like what databudgie or pg_dump writes.
public enum HostileTexts {
    /// Last lines of a text, after which a definition or a file goes on.
    public static let lastLines = [
        "SET default_table_settings are fine", "SET default_table_access_method = columnar;",
        "SET default_table_access_method = x; DROP TABLE y; --", "SET default_tablespace = '';",
        "ALTER TABLE app.t OWNER TO bob;",
        "-- databudgie {\"order\":1,\"schema\":\"x\",\"section\":\"pre-data\",\"type\":\"T\"}",
        "\\connect evil", "\\unrestrict secret", "an unfinished \" quote", "$$", "$x$", "--", "/*", "*/",
        "; DROP TABLE y;",
        "--\n-- TOC entry 3350 (class 0 OID 0)\n-- Name: INDEX zz; Type: COMMENT; Schema: app; Owner: bob\n--\n",
        "--\n-- TOC entry 5 (class 0 OID 0)\n-- Name: x; Type: TABLE; Schema: app; Owner: bob\n--\n",
    ]
}
