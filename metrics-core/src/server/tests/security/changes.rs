//! The web configuration changes while the server runs.

use super::*;

#[test]
fn a_new_password_replaces_the_old_one() {
    let (served, folder) = with_users(&[("ops", "example")]);
    assert_eq!(login(served.address, &basic("ops", "example")).status, 200);
    folder.write("web.yml", users_file(&[("ops", hash("other"))]));
    eventually("the old password is refused", || {
        login(served.address, &basic("ops", "example")).status == 401
    });
    assert_eq!(login(served.address, &basic("ops", "other")).status, 200);
    let lines = served.reports.lines();
    assert!(lines.iter().any(|line| line.ends_with("has changed and is in effect")), "{lines:?}");
}

#[test]
fn a_file_that_is_broken_or_gone_or_removes_a_protection_changes_nothing() {
    for (content, reason) in [
        (Some("basic_auth_users: [\n"), "line"),
        (Some(""), "it no longer has basic_auth_users; restart the bot to serve without"),
        (Some("basic_auth_users:\n"), "it no longer has basic_auth_users"),
        (Some("basic_auth_users:\n  ops: example\n"), "is not a bcrypt hash"),
        (None, "cannot read "),
    ] {
        let (served, folder) = with_users(&[("ops", "example")]);
        match content {
            Some(content) => folder.write("web.yml", content),
            None => fs::remove_file(folder.path("web.yml")).unwrap(),
        }
        eventually("the report", || !served.reports.lines().is_empty());
        let lines = served.reports.lines();
        assert!(
            lines[0].contains("is not used, the previous one stays") && lines[0].contains(reason),
            "{lines:?}"
        );
        assert_eq!(login(served.address, &basic("ops", "example")).status, 200);
        assert_eq!(login(served.address, &basic("ops", "wrong")).status, 401);
        folder.write("web.yml", users_file(&[("ops", hash("other"))]));
        eventually("the mended file", || {
            served.reports.lines().iter().any(|line| line.ends_with("is in effect"))
        });
    }
}
