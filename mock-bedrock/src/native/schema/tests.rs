use super::*;

const INNER: Object = Object {
    fields: &[
        optional("maxTokenCount", Kind::Tokens(1)),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("stopSequences", Kind::List(&Kind::Text(1), 0, 2)),
        optional("size", Kind::Size(&[256, 512])),
        optional("mode", Kind::Choice(&["A", "B"])),
        optional("flag", Kind::Flag),
    ],
    open: false,
};
const BODY: Object = Object {
    fields: &[
        required("inputText", Kind::Text(1)),
        optional("config", Kind::Object(&INNER)),
        optional("anything", Kind::Any),
    ],
    open: false,
};

#[test]
fn a_body_is_refused_in_the_words_of_the_validator() {
    for (body, message) in [
        ("{}", "#: required key [inputText] not found"),
        (r#"{"inputText":""}"#, "#/inputText: expected minLength: 1, actual: 0"),
        (r#"{"inputText":3}"#, "#/inputText: expected type: String, found: Integer"),
        (r#"{"inputText":"a","more":1}"#, "#: extraneous key [more] is not permitted"),
        ("[]", "#: expected type: JSONObject, found: JSONArray"),
        (
            r#"{"inputText":"a","config":{"maxTokenCount":9000}}"#,
            "#/config/maxTokenCount: 9000 is not less or equal to 4096",
        ),
        (
            r#"{"inputText":"a","config":{"maxTokenCount":0}}"#,
            "#/config/maxTokenCount: 0 is not greater or equal to 1",
        ),
        (
            r#"{"inputText":"a","config":{"maxTokenCount":18446744073709551615}}"#,
            "#/config/maxTokenCount: 18446744073709551615 is not less or equal to 4096",
        ),
        (
            r#"{"inputText":"a","config":{"maxTokenCount":1.5}}"#,
            "#/config/maxTokenCount: expected type: Integer, found: BigDecimal",
        ),
        (
            r#"{"inputText":"a","config":{"temperature":1.5}}"#,
            "#/config/temperature: 1.5 is not less or equal to 1",
        ),
        (
            r#"{"inputText":"a","config":{"stopSequences":"a"}}"#,
            "#/config/stopSequences: expected type: JSONArray, found: String",
        ),
        (
            r#"{"inputText":"a","config":{"stopSequences":["a","b","c"]}}"#,
            "#/config/stopSequences: expected maximum item count: 2, found: 3",
        ),
        (
            r#"{"inputText":"a","config":{"stopSequences":[null]}}"#,
            "#/config/stopSequences/0: expected type: String, found: Null",
        ),
        (
            r#"{"inputText":"a","config":{"size":100}}"#,
            "#/config/size: 100 is not a valid enum value",
        ),
        (
            r#"{"inputText":"a","config":{"mode":"C"}}"#,
            "#/config/mode: C is not a valid enum value",
        ),
        (
            r#"{"inputText":"a","config":{"flag":"C"}}"#,
            "#/config/flag: expected type: Boolean, found: String",
        ),
        (r#"{"inputText":1,"more":1}"#, "2 schema violations found"),
    ] {
        let error = read(body.as_bytes(), &BODY, 4096).unwrap_err();
        assert_eq!(error, ServiceError::malformed(message), "{body}");
    }
    assert_eq!(read(b"{", &BODY, 4096).unwrap_err(), ServiceError::unreadable());
}

#[test]
fn a_body_of_the_shape_is_taken() {
    for body in [
        r#"{"inputText":"a"}"#,
        r#"{"inputText":"a","anything":[null],"config":{}}"#,
        r#"{"inputText":"a","config":{"maxTokenCount":4096,"temperature":1,"stopSequences":["a"],"size":256,"mode":"B","flag":true}}"#,
    ] {
        assert!(read(body.as_bytes(), &BODY, 4096).is_ok(), "{body}");
    }
}
