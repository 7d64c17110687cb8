//! Tests which person is recorded, names of persons, file permissions, and harmful texts on every screen.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::Gateway;

/// Returns a gateway whose equipment never answers. The commands of these tests need no answering equipment.
fn gateway() -> Gateway {
    Gateway::pump(1, "[points]\nx = { register = \"holding:0\", type = \"u16\", every = \"1s\" }\n")
}

/// Runs a command with this environment, after the words `before`, and returns the person in the journal.
fn recorded(gateway: &Gateway, environment: &[(&str, &str)], before: &[&str], args: &str) -> String {
    let inner = gateway.command(args);
    let mut words: Vec<_> = before.iter().map(std::ffi::OsString::from).collect();
    words.push(inner.get_program().to_owned());
    words.extend(inner.get_args().map(ToOwned::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(gateway.path("")).env("ANDON_DATA", gateway.data());
    for name in ["USER", "LOGNAME", "ANDON_PERSON", "ANDON_CONFIG"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    gateway.run("status --json").json()["out_of_service"][0]["by"].as_str().unwrap().to_owned()
}

#[test]
fn who_acts_is_known_without_user_in_the_environment() {
    let own = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    for (environment, expected) in [
        (&[][..], own.trim()),
        (&[("USER", "")], own.trim()),
        // The environment proves nothing: the account counts.
        (&[("USER", "eva")], own.trim()),
        (&[("LOGNAME", "max")], own.trim()),
        (&[("USER", "eva"), ("ANDON_PERSON", "Eva Meier")], "Eva Meier"),
    ] {
        let gateway = gateway();
        let by = recorded(&gateway, environment, &[], "equipment out-of-service pump-1 --reason r");
        assert_eq!(by, expected, "{environment:?}");
    }
}

#[test]
fn a_user_without_a_name_acts_by_number() {
    let gateway = gateway();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::create_dir(gateway.data()).unwrap();
    for path in [gateway.path(""), gateway.data()] {
        std::fs::set_permissions(path, open.clone()).unwrap();
    }
    let nobody = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];
    let by = recorded(&gateway, &[], &nobody, "equipment out-of-service pump-1 --reason r");
    assert_eq!(by, "uid-54321");
}

#[test]
fn as_root_an_account_is_what_the_system_says_and_no_name_makes_it_another() {
    let mut gateway = gateway();
    gateway.start();
    for path in [gateway.path(""), gateway.data(), gateway.data().join("andon.sock")] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let stranger = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];
    let out = "equipment out-of-service pump-1 --reason r";
    let back = "equipment return pump-1 --reason r";
    let by = |kind: &str| {
        let journal = std::fs::read_to_string(gateway.data().join("journal/00000001.ndjson")).unwrap();
        let mut lines = journal.lines().rev().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        lines.find(|l| l["kind"] == kind).unwrap()["by"].clone()
    };
    recorded(&gateway, &[("USER", "root"), ("LOGNAME", "root")], &stranger, out);
    assert_eq!(by("equipment-out-of-service"), serde_json::json!({"who": "os-user", "name": "uid-54321"}));
    gateway.run(back).success();
    recorded(&gateway, &[("ANDON_PERSON", "root")], &stranger, out);
    assert_eq!(
        by("equipment-out-of-service"),
        serde_json::json!({"who": "unproven", "name": "root", "os_user": "uid-54321"})
    );
}

#[test]
fn names_are_plain_and_nobody_is_called_andon() {
    let gateway = gateway();
    for name in ["andon", "Andon ", "a ndon", "eva\u{1b}[31m", "eva\u{202e}", "eva\nandon", &"e".repeat(65)] {
        let run =
            gateway.command("equipment out-of-service pump-1 --reason r").env("ANDON_PERSON", name).output();
        let run = run.unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(4), "{name:?}: {said}");
        assert!(said.contains("people/bad-name"), "{name:?}: {said}");
        assert!(!said.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{said:?}");
    }
    gateway.run("equipment out-of-service pump-1 --reason r").success();
}

#[test]
fn what_comes_from_outside_is_shown_and_never_acts_on_a_screen() {
    let gateway = gateway();
    let reason = "checked\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\nerror: all is lost\t.";
    let mut command = gateway.command("equipment out-of-service pump-1");
    assert!(command.args(["--reason", reason]).output().unwrap().status.success());
    for args in
        ["", "status", "alarm list", "equipment list", "equipment list --csv", "equipment show pump-1"]
    {
        let run = gateway.run(args);
        let all = run.stdout() + &run.stderr();
        assert!(!all.contains(|c: char| c != '\n' && c.is_control()), "{args}: {all:?}");
        assert!(!all.contains(['\u{202e}', '\u{200b}']), "{args}: {all:?}");
        assert!(!all.lines().any(|l| l.starts_with("error")), "{args}: {all}");
    }
    gateway.run("alarm list").says("checked\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{200b}");
    let run = gateway.run("status --json");
    assert_eq!(run.json()["out_of_service"][0]["reason"], reason, "JSON is exact");
    assert!(!run.stdout().contains(['\u{9b}', '\u{202e}']), "{}", run.stdout());
    for args in [vec!["ticket", "\u{1b}[2J"], vec!["ticket", "show", "a\u{1b}[2J"], vec!["--\u{1b}]0;x\u{7}"]]
    {
        let output = gateway.command("").args(&args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains("\\u{1b}"), "{args:?}: {said}");
        assert!(!said.contains(|c: char| c != '\n' && c.is_control()), "{args:?}: {said:?}");
    }
}

#[test]
fn a_name_of_an_older_journal_is_loaded_and_shown() {
    let gateway = gateway();
    gateway.run("equipment out-of-service pump-1 --reason r").success();
    // Change the last line, because no other line contains its hash. Remove the store, because it is only a copy.
    let path = gateway.data().join("journal/00000001.ndjson");
    let journal = std::fs::read_to_string(&path).unwrap();
    assert_eq!(journal.matches("\"name\":\"eva\"").count(), 1, "{journal}");
    let older = journal.replace("\"name\":\"eva\"", r#""name":"\u001b[31mandon \u202e""#);
    std::fs::write(&path, older).unwrap();
    std::fs::remove_dir_all(gateway.data().join("store")).unwrap();
    gateway.run("alarm list").success().says("by \\u{1b}[31mandon \\u{202e}: r");
    assert_eq!(gateway.run("status --json").json()["out_of_service"][0]["by"], "\u{1b}[31mandon \u{202e}");
}

#[track_caller]
fn check_modes(path: &Path) {
    let found = std::fs::symlink_metadata(path).unwrap();
    if !found.is_symlink() && !path.ends_with("andon.sock") {
        assert_eq!(found.permissions().mode() & 0o027, 0, "{}", path.display());
    }
    if found.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            check_modes(&entry.unwrap().path());
        }
    }
}

#[test]
fn what_is_made_is_closed_to_others() {
    let mut gateway = gateway();
    std::fs::create_dir(gateway.data()).unwrap();
    std::fs::set_permissions(gateway.data(), std::fs::Permissions::from_mode(0o777)).unwrap();
    // The permissions must not depend on the umask of the person who starts andon.
    let open = ["sh", "-c", "umask 0; exec \"$@\"", "sh"];
    recorded(&gateway, &[("USER", "eva")], &open, "equipment out-of-service pump-1 --reason r");
    gateway.start_with(&open);
    gateway.run("note pump-1 text");
    gateway.run("status").success();
    check_modes(&gateway.data());
    assert!(gateway.log().contains("andon has set its mode to 0750"), "{}", gateway.log());
    let socket = std::fs::metadata(gateway.data().join("andon.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o660);
    gateway.stop();
    check_modes(&gateway.data());
    // At the next start andon knows the folders of frames and traces as its own too.
    for folder in ["wire", "traces"] {
        std::fs::create_dir_all(gateway.data().join(folder)).unwrap();
        std::fs::set_permissions(gateway.data().join(folder), std::fs::Permissions::from_mode(0o750))
            .unwrap();
    }
    std::fs::set_permissions(gateway.data(), std::fs::Permissions::from_mode(0o777)).unwrap();
    gateway.start_with(&open);
    check_modes(&gateway.data());
}

#[test]
fn a_demo_does_not_follow_what_was_planted() {
    let gateway = Gateway::new();
    let target = gateway.path("target");
    std::fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(&target, gateway.path("link")).unwrap();
    gateway.run("demo --auto --dir link").exits(6).says("a link is not followed");
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
    std::fs::write(target.join("letter.txt"), "dear").unwrap();
    gateway.run("demo --auto --dir target").exits(6).says("not a demo's");
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 1);
}

#[test]
fn a_data_directory_may_have_a_long_path() {
    let home = Gateway::new();
    let long = home.path(&"a-long-name/".repeat(12)).join("data");
    let mut gateway = gateway().with_data(&long);
    gateway.start();
    gateway.run("status").success().says("daemon running");
    gateway.stop();
}

#[test]
fn read_only_data_is_locked_without_writing() {
    let gateway = gateway();
    gateway.run("equipment out-of-service pump-1 --reason r").success();
    let data = gateway.data();
    let mount = |args: &[&str]| {
        let done = Command::new("mount").args(args).arg(&data).stderr(Stdio::inherit()).status().unwrap();
        assert!(done.success(), "mount {args:?}: the tests run as root");
    };
    mount(&["--bind", data.to_str().unwrap()]);
    mount(&["-o", "remount,ro,bind"]);
    let both = (0..2).map(|_| andon::daemon::DataLock::for_command(&data)).collect::<Vec<_>>();
    // The locks are open files on this file system, so it is unmounted when the locks are closed.
    let unmounted = Command::new("umount").arg("-l").arg(&data).status().unwrap();
    assert!(unmounted.success());
    for lock in &both {
        let lock = lock.as_ref().unwrap().as_ref().expect("readers do not exclude each other");
        assert!(lock.is_read_only());
    }
}

#[tokio::test]
async fn a_full_disk_does_not_keep_a_daemon_from_its_lock() {
    let gateway = gateway();
    let data = gateway.data();
    std::fs::create_dir(&data).unwrap();
    // The file system has one inode, for the directory itself, so no file can be made.
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "nr_inodes=1", "none"]).arg(&data).status().unwrap();
    assert!(mounted.success(), "the tests run as root");
    let daemon = andon::daemon::DataLock::for_daemon(&data).await;
    let beside = andon::daemon::DataLock::for_command(&data);
    let is_held = daemon.is_ok();
    drop(daemon);
    let after = andon::daemon::DataLock::for_command(&data);
    let unmounted = Command::new("umount").arg("-l").arg(&data).status().unwrap();
    assert!(unmounted.success() && is_held);
    assert!(matches!(beside, Ok(None)), "{beside:?}");
    assert!(after.unwrap().unwrap().is_read_only());
}
