//! The dashboard in Grafana's classic JSON.

use serde_json::{Map, Value, json};

use super::panel::{NEUTRAL, Panel, PanelTarget, PanelView};
use super::variables::{DashboardAnnotation, DashboardVariable};

/// The data source that the reader chooses.
fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// A position and a size, in columns and lines.
pub(super) fn position([x, y]: [u64; 2], [width, height]: [u64; 2]) -> Value {
    json!({ "x": x, "y": y, "w": width, "h": height })
}

/// The title above the panels of a row.
pub(super) fn heading(title: &str, id: u64, position: &Value) -> Value {
    json!({
        "id": id, "type": "row", "title": title, "collapsed": false, "gridPos": position, "panels": [],
    })
}

/// A panel, with a link to `runbook` if there is one.
pub(super) fn panel(panel: &Panel, id: u64, position: &Value, runbook: Option<String>) -> Value {
    let targets = panel.targets.iter().zip('A'..='Z');
    let mut json = json!({
        "id": id,
        "type": kind(panel.view),
        "title": panel.title,
        "description": format!("{}\n\nNo data means that {}.", panel.description, panel.no_data),
        "datasource": datasource(),
        "gridPos": position,
        "targets": targets.map(|(query, letter)| target(panel.view, query, letter)).collect::<Vec<_>>(),
        "fieldConfig": { "defaults": field(panel), "overrides": [] },
        "options": options(panel),
    });
    if let Some(url) = runbook {
        json["links"] = json!([link("Runbook", &url)]);
    }
    if panel.view == PanelView::Bars {
        // A bar counts the occurrences in a window before it. A window needs four scrapes, and is not much longer than this.
        json["interval"] = "1m".into();
    }
    json
}

/// A link out of the dashboard.
pub(super) fn link(title: &str, url: &str) -> Value {
    json!({
        "title": title, "type": "link", "url": url, "icon": "doc", "tooltip": "", "tags": [], "asDropdown": false,
        "includeVars": false, "keepTime": false, "targetBlank": true,
    })
}

fn kind(view: PanelView) -> &'static str {
    match view {
        PanelView::Lines | PanelView::Areas | PanelView::Bars => "timeseries",
        PanelView::Heatmap => "heatmap",
        PanelView::Values | PanelView::Names => "stat",
    }
}

fn target(view: PanelView, target: &PanelTarget, letter: char) -> Value {
    json!({
        "refId": letter.to_string(),
        "datasource": datasource(),
        "editorMode": "code",
        "expr": target.expr,
        "legendFormat": target.legend,
        "instant": view.is_stat(),
        "range": !view.is_stat(),
        "format": if view == PanelView::Heatmap { "heatmap" } else { "time_series" },
    })
}

fn field(panel: &Panel) -> Value {
    let below = json!({ "color": panel.colour, "value": null });
    let above = panel.limits.iter().map(|(value, color)| json!({ "color": color, "value": value }));
    let texts = panel.texts.iter().zip(0..).map(|((value, text, color), index): (_, u8)| {
        (value.to_string(), json!({ "text": text, "color": color, "index": index }))
    });
    let texts: Map<_, _> = texts.collect();
    let mappings = if texts.is_empty() { json!([]) } else { json!([{ "type": "value", "options": texts }]) };
    let steps: Vec<_> = [below].into_iter().chain(above).collect();
    let mut field = json!({
        "unit": panel.unit,
        "color": { "mode": if panel.view.is_stat() { "thresholds" } else { "palette-classic" } },
        "thresholds": { "mode": "absolute", "steps": steps },
        "mappings": mappings,
        "custom": custom(panel),
    });
    if panel.view == PanelView::Bars || (panel.view.is_stat() && panel.unit != "percentunit") {
        // Prometheus extrapolates to the whole window, so that counts are not exact.
        field["decimals"] = 0.into();
    }
    if panel.unit == "percentunit" && panel.view == PanelView::Areas {
        field["max"] = 1.into();
    }
    if matches!(panel.view, PanelView::Areas | PanelView::Bars) {
        field["min"] = 0.into();
    }
    field
}

/// The fields that the kind of panel defines.
fn custom(panel: &Panel) -> Value {
    let (style, fill, is_stacked) = match panel.view {
        PanelView::Lines => ("line", 0, false),
        PanelView::Areas => ("line", 40, true),
        PanelView::Bars => ("bars", 80, true),
        PanelView::Heatmap | PanelView::Values | PanelView::Names => return json!({}),
    };
    json!({
        "drawStyle": style,
        "lineWidth": 1,
        "fillOpacity": fill,
        "showPoints": "auto",
        "spanNulls": false,
        "stacking": { "mode": if is_stacked { "normal" } else { "none" }, "group": "A" },
        "thresholdsStyle": { "mode": if panel.limits.is_empty() { "off" } else { "dashed" } },
    })
}

fn options(panel: &Panel) -> Value {
    match panel.view {
        PanelView::Lines | PanelView::Areas | PanelView::Bars => {
            // A wide panel has room for a legend with many entries beside the chart.
            let is_wide = panel.width > 8;
            json!({
                "legend": {
                    "showLegend": true,
                    "displayMode": if is_wide { "table" } else { "list" },
                    "placement": if is_wide { "right" } else { "bottom" },
                    "calcs": if is_wide { json!(["lastNotNull", "max"]) } else { json!([]) },
                },
                "tooltip": { "mode": "multi", "sort": "desc" },
            })
        }
        PanelView::Values | PanelView::Names => json!({
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            "showPercentChange": false,
            "textMode": if panel.view == PanelView::Names { "name" } else { "value_and_name" },
            "wideLayout": true,
        }),
        PanelView::Heatmap => json!({
            "calculate": false,
            "cellGap": 1,
            "color": {
                "mode": "scheme", "scheme": "Viridis", "steps": 64, "exponent": 0.5, "fill": NEUTRAL, "reverse": false,
            },
            "exemplars": { "color": NEUTRAL },
            "legend": { "show": true },
            "showValue": "never",
            "tooltip": { "mode": "single", "yHistogram": true },
            "yAxis": { "axisPlacement": "left", "unit": panel.unit },
        }),
    }
}

/// The choice of the data source, on which all other variables depend.
pub(super) fn datasource_variable() -> Value {
    json!({
        "name": "datasource", "type": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0,
        "includeAll": false, "multi": false, "refresh": 1, "regex": "", "options": [],
    })
}

pub(super) fn variable(variable: &DashboardVariable) -> Value {
    let DashboardVariable { name, series, matches_any } = variable;
    let query = format!("label_values({series}, {name})");
    let mut json = json!({
        "name": name, "type": "query", "label": name, "datasource": datasource(),
        "query": { "query": query, "refId": name, "qryType": 1 },
        "hide": 0, "includeAll": true, "multi": true, "refresh": 2, "regex": "", "sort": 1, "options": [],
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
    });
    if *matches_any {
        json["allValue"] = ".*".into();
    }
    json
}

pub(super) fn annotation(annotation: &DashboardAnnotation) -> Value {
    json!({
        "name": annotation.name,
        "enable": true,
        "hide": false,
        "iconColor": annotation.colour,
        "datasource": datasource(),
        "target": { "refId": annotation.name, "expr": annotation.expr, "interval": "15s" },
        "titleFormat": annotation.name,
        "textFormat": annotation.text,
        "tagKeys": "severity",
        "useValueForTime": annotation.values_are_times,
    })
}
