use super::*;

fn choosing(chosen: &[ColumnId]) -> ColumnRequest<'_> {
    ColumnRequest {
        chosen: Some(chosen),
        max_id: 9,
        ..ColumnRequest::default()
    }
}

fn names(width: u16) -> Vec<&'static str> {
    columns(
        width,
        &ColumnRequest {
            max_id: 3187,
            ..ColumnRequest::default()
        },
    )
    .shown
    .iter()
    .map(|shown| shown.id.field().name)
    .collect()
}

#[test]
fn narrow_screens_drop_columns_but_not_the_name() {
    assert_eq!(names(20), ["name", "pressure"]);
    assert_eq!(names(24), ["name", "pressure", "eta"]);
    assert_eq!(names(50), ["name", "used", "pressure", "eta"]);
    assert_eq!(
        names(80),
        [
            "id", "name", "type", "used", "pressure", "growth", "eta", "mem"
        ]
    );
    assert_eq!(names(100)[7..], ["mem", "owner"]);
    assert!(names(160).ends_with(&["loss", "mem", "progs", "owner", "flags"]));
    for width in 0..300 {
        assert!(names(width).contains(&"name"), "{width}");
    }
}

#[test]
fn the_loss_column_needs_132_cells_or_80_while_tracing() {
    let has_loss = |width, is_tracing_losses| {
        let request = ColumnRequest {
            max_id: 3187,
            is_tracing_losses,
            ..ColumnRequest::default()
        };
        let shown = columns(width, &request).shown;
        shown.iter().any(|shown| shown.id == LOSS)
    };
    for width in 0..300 {
        assert_eq!(has_loss(width, false), width >= 132, "{width}");
        assert_eq!(has_loss(width, true), width >= 80, "{width}");
    }
}

#[test]
fn the_lifetime_column_needs_150_cells_while_tracing() {
    let has_lifetime = |width, is_tracing_losses| {
        let request = ColumnRequest {
            max_id: 3187,
            is_tracing_losses,
            ..ColumnRequest::default()
        };
        let shown = columns(width, &request).shown;
        shown.iter().any(|shown| shown.id == LIFETIME)
    };
    for width in 0..300 {
        assert!(!has_lifetime(width, false), "{width}");
        assert_eq!(has_lifetime(width, true), width >= 150, "{width}");
    }
}

#[test]
fn columns_never_overlap_or_leave_the_screen() {
    for width in 0..300u16 {
        let mut end = 0;
        for shown in columns(
            width,
            &ColumnRequest {
                max_id: u32::MAX,
                ..ColumnRequest::default()
            },
        )
        .shown
        {
            assert!(shown.x >= end, "{width}: {shown:?}");
            end = shown.x + shown.width;
            assert!(end <= width.max(1), "{width}: {shown:?}");
        }
    }
}

#[test]
fn requested_columns_are_shown_while_they_fit() {
    let chosen = [ID, ColumnId::named("flags"), NAME, ColumnId::named("key")];
    let names = |width| -> Vec<_> {
        let columns = columns(width, &choosing(&chosen));
        columns
            .shown
            .iter()
            .map(|shown| shown.id.field().name)
            .collect()
    };
    assert_eq!(names(100), ["id", "flags", "name", "key"]);
    assert_eq!(names(40), ["id", "name", "key"]);
    assert_eq!(names(10), ["name"]);
}

#[test]
fn added_columns_and_pressure_are_dropped_last() {
    let default: Vec<_> = ColumnId::all()
        .filter(|id| id.column().min_terminal_width.is_some())
        .chain([ColumnId::named("max")])
        .collect();
    let columns = columns(80, &choosing(&default));
    let names: Vec<_> = columns
        .shown
        .iter()
        .map(|shown| shown.id.field().name)
        .collect();
    assert_eq!(
        names,
        [
            "id", "name", "type", "used", "pressure", "growth", "eta", "max"
        ]
    );
    let widest = [
        ColumnId::named("flags"),
        PRESSURE,
        NAME,
        ColumnId::named("kind"),
    ];
    let narrow = super::columns(24, &choosing(&widest));
    let names: Vec<_> = narrow
        .shown
        .iter()
        .map(|shown| shown.id.field().name)
        .collect();
    assert_eq!(names, ["pressure", "name"]);
}

#[test]
fn scrolling_shows_further_columns_and_keeps_the_name() {
    let names = |scrolled| -> Vec<_> {
        let request = ColumnRequest {
            scrolled,
            ..ColumnRequest::default()
        };
        let shown = columns(60, &request).shown;
        shown.iter().map(|shown| shown.id.field().name).collect()
    };
    assert_eq!(names(0), ["name", "used", "pressure", "eta"]);
    assert_eq!(names(1), ["name", "type", "used", "pressure"]);
    assert_eq!(names(3), ["name", "pressure", "last", "growth", "eta"]);
    assert_eq!(names(100), ["name"]);
}

#[test]
fn exact_columns_fit_their_numbers() {
    let request = ColumnRequest {
        is_exact: true,
        max_id: 3187,
        ..ColumnRequest::default()
    };
    let shown = columns(80, &request).shown;
    let shown: Vec<_> = shown
        .iter()
        .map(|shown| (shown.id.field().name, shown.width))
        .collect();
    assert_eq!(
        shown,
        [
            ("id", 5),
            ("name", 16),
            ("used", 27),
            ("pressure", 13),
            ("eta", 7)
        ]
    );
}
