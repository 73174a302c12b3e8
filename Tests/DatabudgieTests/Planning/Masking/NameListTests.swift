import Foundation
import Testing

@testable import Databudgie

@Suite("Lists of names")
struct NameListTests {
    @Test(
        "Each has 1,000 names that differ, fit into a name of the server's and into LATIN1",
        arguments: NameLocale.allCases,
        NameKind.allCases
    )
    func lists(locale: NameLocale, kind: NameKind) {
        let list = NameLists.list(kind, locale)
        #expect(list.count == 1_000 && list.names.count == 1_000)
        #expect(Set(list.names.map { ByteKey($0.precomposedStringWithCanonicalMapping) }).count == 1_000)
        for name in list.names {
            #expect((1...63).contains(name.utf8.count), "\(name)")
            #expect(name.data(using: .isoLatin1) != nil, "\(name)")
            #expect(name.hasBytes(of: name.precomposedStringWithCanonicalMapping), "\(name)")
            #expect(!name.hasPrefix(" ") && !name.hasSuffix(" "), "\(name)")
        }
        #expect(list.longest == list.names.map(\.count).max())
    }

    @Test("Their order is that of version 1")
    func order() {
        #expect(NameLists.version == 1)
        func entries(_ kind: NameKind, _ locale: NameLocale) -> [String] {
            let names = NameLists.list(kind, locale).names
            return [names[0], names[487], names[999]]
        }
        #expect(entries(.firstName, .english) == ["Aaron", "Joyce", "Zoe"])
        #expect(entries(.lastName, .german) == ["Abel", "Tietz", "Ziegler-Vogt"])
        #expect(entries(.city, .german) == ["Aachen", "Borken an der Elbe", "Zittau an der Elbe"])
        #expect(entries(.lastName, .french) == ["Abadie", "Bailly-Devaux", "Vallée-Simon"])
        #expect(entries(.city, .french) == ["Abbeville", "Loches-le-Château", "Évreux-le-Château"])
        #expect(entries(.lastName, .spanish) == ["Abad", "Ramón", "Vázquez Tejero"])
        #expect(entries(.city, .spanish) == ["Aguilar", "Mesón del Conde", "Villanueva del Tajo"])
    }
}

@Suite("Suggested masks")
struct MaskSuggestionTests {
    @Test(
        "Words of a name in four languages say what a column holds",
        arguments: [
            ("email", "email"), ("e_mail", "email"), ("userEmail", "email"), ("billing_email_address", "email"),
            ("courriel", "email"), ("first_name", "first_name"), ("firstName", "first_name"), ("Vorname", "first_name"),
            ("prénom", "first_name"), ("apellidos", "last_name"), ("Straße", "street"), ("phone_2", "digits"),
            ("Geburtsdatum", nil), ("ip_address", "hash"), ("password_hash", "null"), ("notes", "filler"),
            ("state", nil), ("", nil), ("_1", nil),
        ]
    )
    func names(name: String, mask: String?) {
        let suggestion = MaskSuggestion.of(MaskFixture.column(1, name))
        #expect(suggestion == mask ?? "scramble")
    }

    @Test("The type decides what a word means, and what is proposed without one")
    func types() {
        func suggestion(_ name: String, _ type: ColumnType, isNotNull: Bool = false) -> String {
            MaskSuggestion.of(MaskFixture.column(1, name, type, isNotNull: isNotNull))
        }
        #expect(suggestion("birthday", MaskFixture.type("date")) == "{shift: 30 days}")
        #expect(suggestion("salary", MaskFixture.type("numeric")) == "{noise: 10%}")
        #expect(suggestion("email", MaskFixture.type("bool")) == "keep")
        #expect(suggestion("phones", MaskFixture.type("_text", element: "text")) == "{each: scramble}")
        #expect(suggestion("email", MaskFixture.type("_text", element: "text")) == "{each: email}")
        #expect(suggestion("ip", MaskFixture.type("inet")) == "ip")
        #expect(suggestion("data", MaskFixture.type("jsonb")) == "{keep_paths: []}")
        #expect(suggestion("search", MaskFixture.type("tsvector")) == "null")
        #expect(suggestion("raw", MaskFixture.type("bytea"), isNotNull: true) == "hash")
        #expect(suggestion("created_at", MaskFixture.type("timestamptz")) == "keep")
        #expect(MaskSuggestion.of(MaskFixture.column(1, "email", ownsSequence: true)) == "keep")
        #expect(MaskSuggestion.of(MaskFixture.column(1, "x", comment: "the customer's e-mail")) == "email")
    }
}

@Suite("The key of masks")
struct MaskKeyTests {
    private let key = MaskKey(.secret("databudgie-test-secret-0123456789"))

    @Test("Its id and its hashes are those of any HMAC-SHA-256")
    func knownAnswers() {
        #expect(key.id == "d8777e0d")
        #expect(key.hash("", in: "hash").prefix(8).elementsEqual([0xA8, 0xD5, 0x2C, 0x0F, 0x31, 0x61, 0x7E, 0xB4]))
        #expect(key.hash("ada@example.org", in: "email").prefix(3).elementsEqual([0xEF, 0x99, 0xC0]))
    }

    @Test("Contexts have keys of their own, and random keys differ")
    func contexts() {
        #expect(key.pads(of: "email") != key.pads(of: "hash") && key.pads(of: "email") == key.pads(of: "email"))
        #expect(key.pads(of: "email").inner.utf8.count == 128)
        #expect(MaskKey(nil).id != MaskKey(.random).id)
    }
}
