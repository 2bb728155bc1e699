// The type of a generated dashboard: that of Grafana's schema, whose options and targets are open there, with the options
// of each kind of panel.
import type { AnnotationQuery, Dashboard, DataQuery, GraphFieldConfig, Panel, RowPanel } from '@grafana/schema';
import type { Options as HeatmapOptions } from '@grafana/schema/raw/composable/heatmap/panelcfg/x/types.gen';
import type { Options as StatOptions } from '@grafana/schema/raw/composable/stat/panelcfg/x/types.gen';
import type { Options as TimeSeriesOptions } from '@grafana/schema/raw/composable/timeseries/panelcfg/x/types.gen';

/** The type of JSON: an enumeration is written as its values. */
type Json<T> = T extends string
  ? string extends T ? T : `${T}`
  : T extends number
    ? number extends T ? T : `${T}` extends `${infer N extends number}` ? N : never
    : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

/** A query of Prometheus. Grafana defines it in the data source and not in the schema. */
interface PrometheusQuery extends DataQuery {
  expr: string;
  legendFormat?: string;
  format?: 'time_series' | 'heatmap' | 'table';
  instant?: boolean;
  range?: boolean;
  interval?: string;
  editorMode?: 'code' | 'builder';
}

/** The data source's own fields of an annotation. */
interface PrometheusAnnotation extends AnnotationQuery<PrometheusQuery> {
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  useValueForTime?: boolean;
}

type PanelOf<Type extends string, Options, Custom> = Omit<Panel<Options, Custom>, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Type;
  options: Options;
  targets: PrometheusQuery[];
  fieldConfig: {
    defaults: Omit<NonNullable<Panel['fieldConfig']>['defaults'], 'custom'> & { custom: Custom };
    overrides: [];
  };
};

type BotDashboard = Json<
  Omit<Dashboard, 'panels' | 'annotations'> & {
    panels: (
      | RowPanel
      | PanelOf<'timeseries', TimeSeriesOptions, GraphFieldConfig>
      | PanelOf<'stat', StatOptions, Record<string, never>>
      | PanelOf<'heatmap', HeatmapOptions, Record<string, never>>
    )[];
    annotations: { list: PrometheusAnnotation[] };
  }
>;
