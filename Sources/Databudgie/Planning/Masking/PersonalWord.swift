/// Words in names of columns that say what a column holds of a person, in English, German, French and Spanish.
enum PersonalWord {
    /// The mask that fits a word.
    ///
    /// - Parameter name: A column's name, of words with underscores or capitals between them.
    /// - Returns: The mask as configurations have it; nil when no word of the name is known.
    static func mask(for name: String) -> String? {
        let words = words(of: name)
        // The longest match says most: `first_name` rather than `name`, `email_token` is a token.
        for length in stride(from: min(3, words.count), through: 1, by: -1) {
            for start in stride(from: words.count - length, through: 0, by: -1) {
                if let mask = masks[words[start..<start + length].joined()] { return mask }
            }
        }
        return nil
    }

    /// The words of a name, in small letters and without accents.
    private static func words(of name: String) -> [String] {
        var words: [String] = [""]
        var wasSmall = false
        for scalar in name.unicodeScalars {
            guard scalar.properties.isAlphabetic else {
                wasSmall = false
                if words.last?.isEmpty == false { words.append("") }
                continue
            }
            if scalar.properties.isUppercase, wasSmall { words.append("") }
            wasSmall = scalar.properties.isLowercase
            words[words.count - 1] += folded[scalar] ?? scalar.properties.lowercaseMapping
        }
        return words.filter { !$0.isEmpty }
    }

    private static let folded: [Unicode.Scalar: String] = [
        "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ê": "e", "à": "a", "ç": "c", "ñ": "n",
        "ó": "o",
        "í": "i", "ú": "u", "á": "a", "ô": "o", "î": "i", "Ä": "ae", "Ö": "oe", "Ü": "ue", "É": "e",
    ]

    private static let masks: [String: String] = Dictionary(
        [
            ("email", "email mail emailaddress mailaddress courriel correo correoelectronico"),
            (
                "digits",
                """
                phone phonenumber telephone tel mobile mobilenumber cell cellphone fax telefon telefonnummer handy
                handynummer mobil rufnummer telefono movil telefax zip zipcode postcode postalcode plz postleitzahl
                codepostal codigopostal iban bic accountnumber bankaccount kontonummer creditcard cardnumber card
                kreditkarte tarjeta ssn socialsecurity taxid taxnumber steuernummer steuerid vatid vat passport
                passportnumber licensenumber nif dni siret
                """
            ),
            ("first_name", "firstname forename givenname vorname prenom nombre middlename"),
            ("last_name", "lastname surname familyname nachname familienname nom apellido apellidos maidenname"),
            (
                "full_name",
                "name fullname displayname contact contactname realname kontakt ansprechpartner recipient payee"
            ),
            (
                "company",
                "company companyname employer organisation organization firma unternehmen entreprise empresa societe"
            ),
            (
                "street",
                "street address addressline streetaddress strasse anschrift adresse rue direccion calle domicilio"
            ),
            ("city", "city town ort stadt wohnort ville ciudad birthplace geburtsort"),
            (
                "{shift: 30 days}",
                "birthday birthdate birth dob dateofbirth geburtstag geburtsdatum naissance nacimiento"
            ),
            ("{noise: 10%}", "salary wage income gehalt lohn einkommen salaire salario latitude longitude lat lng lon"),
            ("ip", "ip ipaddress remoteip clientip remoteaddress"),
            (
                "scramble",
                "nickname nick login username benutzername pseudo alias usuario handle website homepage"
            ),
            (
                "filler",
                "notes note comment comments bio biography remark remarks message bemerkung notiz kommentar commentaire nota notas"
            ),
            (
                "null",
                "password passwd passwort motdepasse contrasena secret token apikey accesstoken signature photo avatar otp"
            ),
        ].flatMap { mask, words in words.split(whereSeparator: \.isWhitespace).map { (String($0), mask) } },
        uniquingKeysWith: { first, _ in first }
    )
}
