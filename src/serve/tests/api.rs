//! Every answer of the API against its contract.

use serde_json::{Value, json};

use super::*;

/// The contract as it is served.
struct Contract(Value);

impl Contract {
    async fn of(house: &House) -> Self {
        let answer = house.get("/api/openapi.json").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        Self(serde_json::from_str(&answer.text()).unwrap())
    }

    /// What stands at a reference.
    fn at<'c>(&'c self, value: &'c Value) -> &'c Value {
        match value["$ref"].as_str() {
            Some(name) => {
                self.0.pointer(name.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{name} is nowhere"))
            }
            None => value,
        }
    }

    fn operation(&self, path: &str) -> &Value {
        let operation = &self.0["paths"][path]["get"];
        assert!(operation.is_object(), "{path} is not in the contract");
        operation
    }

    /// Holds an answer against what the contract says of this path.
    fn check(&self, path: &str, asked: &str, answer: &Answer) {
        let response = self.at(&self.operation(path)["responses"][answer.status.to_string()]);
        assert!(response.is_object(), "{asked}: {} is not in the contract", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{asked}");
        if answer.status == 304 {
            assert!(answer.body.is_empty());
            return;
        }
        let kind = answer.header("content-type");
        let schema = &response["content"][kind]["schema"];
        assert!(!schema.is_null(), "{asked}: {kind} is not in the contract");
        let mut whole = schema.clone();
        whole["components"] = self.0["components"].clone();
        whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        let validator =
            jsonschema::options().should_validate_formats(true).build(&whole).unwrap_or_else(|error| panic!("{error}"));
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(wrong.is_empty(), "{asked}: {wrong:#?}\n{value:#}");
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let required = name != "Link";
            assert!(!required || !answer.header(&name.to_lowercase()).is_empty(), "{asked}: no {name}");
            assert!(header["schema"].is_object());
        }
    }
}

#[tokio::test]
async fn every_answer_is_as_the_contract_says() {
    let mut house = House::open("https://desk.example/news").await;
    let contract = Contract::of(&house).await;
    let spiked = house.front.store.view().story(StoryNo(3)).unwrap().unwrap();
    house.record(Body::Edits(vec![Edit::Spike { story: spiked.no }]));
    let story = house.front.store.view().story(StoryNo(2)).unwrap().unwrap();
    let stories = "/api/v1/stories";
    let one = "/api/v1/stories/{id}";
    let table: Vec<(&str, String, u16)> = vec![
        (stories, stories.to_owned(), 200),
        (stories, format!("{stories}?q=%E5%85%AC%E4%BA%A4"), 200),
        (stories, format!("{stories}?q=nobody&limit=1"), 200),
        (stories, format!("{stories}?limit=1"), 200),
        (stories, format!("{stories}?limit=500&cursor=1795398120000-9"), 200),
        (stories, format!("{stories}?limit=0"), 400),
        (stories, format!("{stories}?limit=501"), 400),
        (stories, format!("{stories}?limit=%2B5"), 400),
        (stories, format!("{stories}?limit="), 400),
        (stories, format!("{stories}?cursor=junk"), 400),
        (stories, format!("{stories}?cursor=01-1"), 400),
        (stories, format!("{stories}?q="), 400),
        (stories, format!("{stories}?q=a+("), 400),
        (stories, format!("{stories}?q=city:nowhere"), 400),
        (stories, format!("{stories}?q=a&q=b"), 400),
        (stories, format!("{stories}?querry=a"), 400),
        (stories, format!("{stories}?q={}", "a".repeat(13_000)), 414),
        (one, format!("{stories}/{}", story.guid), 200),
        (one, format!("{stories}/{}", story.guid.urn()), 200),
        (one, format!("{stories}/{}?q=a", story.guid), 400),
        (one, format!("{stories}/junk"), 404),
        (one, format!("{stories}/%FF"), 404),
        (one, format!("{stories}/00000000-0000-5000-8000-000000000000"), 404),
        (one, format!("{stories}/{}", spiked.guid), 410),
        ("/api/v1/cities", "/api/v1/cities".to_owned(), 200),
        ("/api/v1/cities", "/api/v1/cities?limit=2".to_owned(), 200),
        ("/api/v1/cities", "/api/v1/cities?limit=many".to_owned(), 400),
        ("/api/v1/tags", "/api/v1/tags".to_owned(), 200),
        ("/api/v1/tags", "/api/v1/tags?limit=1".to_owned(), 200),
        ("/api/v1/tags", "/api/v1/tags?q=a".to_owned(), 400),
        ("/api/v1/sources", "/api/v1/sources".to_owned(), 200),
        ("/api/v1/sources", "/api/v1/sources?limit=1&cursor=portal".to_owned(), 200),
        ("/api/openapi.json", "/api/openapi.json".to_owned(), 200),
        ("/api/openapi.json", "/api/openapi.json?x=1".to_owned(), 400),
    ];
    for (path, asked, status) in &table {
        let answer = house.get(asked).await;
        assert_eq!(answer.status, *status, "{asked}: {}", answer.text());
        contract.check(path, asked, &answer);
        let head = house.ask("HEAD", asked, &[]).await;
        assert_eq!((head.status, head.body.len()), (*status, 0), "HEAD {asked}");
        if *status == 200 {
            let etag = answer.header("etag").to_owned();
            let again = house.ask("GET", asked, &[("if-none-match", &etag)]).await;
            assert_eq!(again.status, 304, "{asked}");
            contract.check(path, asked, &again);
        }
    }
    // Nothing stands in the contract that is not asked for above.
    let paths = contract.0["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| table.iter().any(|(known, ..)| known == path)));
    for (path, operation) in paths {
        // Each parameter is known, and any other is refused with the nearest name.
        for parameter in operation["get"]["parameters"].as_array().into_iter().flatten() {
            let parameter = contract.at(parameter);
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let refused = house.get(&format!("{path}?{name}x=1")).await;
            assert_eq!(refused.status, 400);
            assert!(refused.text().contains(&format!("did you mean `{name}`?")), "{}", refused.text());
        }
    }
    house.close().await;
}

#[tokio::test]
async fn pages_lead_from_one_to_the_next() {
    let house = House::open("https://desk.example").await;
    for (path, name, count) in
        [("/api/v1/stories", "stories", 3), ("/api/v1/tags", "tags", 3), ("/api/v1/sources", "sources", 3)]
    {
        let (mut next, mut ids) = (Some(format!("{path}?limit=2")), Vec::new());
        while let Some(path) = next {
            let answer = house.get(&path).await;
            let value: Value = serde_json::from_slice(&answer.body).unwrap();
            ids.extend(value[name].as_array().unwrap().iter().map(|entry| entry["id"].clone()));
            next = value["next"].as_str().map(|next| next.strip_prefix("https://desk.example").unwrap().to_owned());
            let link =
                next.as_ref().map_or(String::new(), |next| format!("<https://desk.example{next}>; rel=\"next\""));
            assert_eq!(answer.header("link"), link);
            assert!(ids.len() <= count);
        }
        assert_eq!(ids.len(), count, "{name}");
    }
    let story: Value = serde_json::from_slice(&house.get("/api/v1/stories?q=copies%3E%3D3").await.body).unwrap();
    let story = &story["stories"][0];
    assert_eq!(story["cities"][0]["slug"], "xuchang");
    assert_eq!(story["copies"].as_array().unwrap().len(), 3);
    assert_eq!(story["copies"][1]["joined"]["score"], 0.97);
    assert!(story["cities"][0]["evidence"][0].as_str().unwrap().contains("许昌"), "{story}");
    assert_eq!(story["page"], json!(format!("https://desk.example/story/{}", story["id"].as_str().unwrap())));
    house.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_as_a_problem() {
    let house = House::open("https://desk.example").await;
    let wrong = house.get("/api/v1/stories?q=%E5%85%AC%E4%BA%A4+rank:orgin").await;
    let value: Value = serde_json::from_slice(&wrong.body).unwrap();
    assert_eq!((wrong.status, wrong.header("content-type")), (400, "application/problem+json"));
    assert_eq!((&value["column"], &value["type"]), (&json!(9), &json!("urn:citydesk:problem:query")));
    assert!(value["hint"].as_str().unwrap().contains("origin"));
    for path in ["/api", "/api/v2/stories", "/api/v1/stories/a/b", "/api/v1/trends"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"), "{path}");
    }
    let post = house.ask("POST", "/api/v1/stories", &[]).await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD, OPTIONS"));
    let options = house.ask("OPTIONS", "/api/v1/stories", &[]).await;
    assert_eq!((options.status, options.header("access-control-allow-methods")), (204, "GET, HEAD"));
    let mut waited = None;
    for number in 0..80 {
        let answer = house.get(&format!("/api/v1/stories?q=w{number}")).await;
        if answer.status == 429 {
            Contract::of(&house).await.check("/api/v1/stories", "too many", &answer);
            waited = answer.header("retry-after").parse::<u64>().ok();
            break;
        }
    }
    assert!(waited.is_some_and(|wait| wait >= 1));
    house.close().await;
}
