-- Measurements outlive their patterns: the foreign key goes.
alter table pattern_quality_metrics drop constraint pattern_quality_metrics_pattern_id_fkey;
