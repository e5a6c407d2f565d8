-- What a person decided of the rows that shared a key, before anything could be unique.

-- System 3: of each pattern the latest measurement stays.
delete from pattern_quality_metrics older
using pattern_quality_metrics later
where older.pattern_id = later.pattern_id
  and (older.measurement_timestamp, older.id) < (later.measurement_timestamp, later.id);

-- System 5: of each person and topic the newest quiz stays, as readers took it.
delete from quizzes older
using quizzes newer
where older.user_id = newer.user_id
  and older.topic_id = newer.topic_id
  and (older.created_at, older.id) < (newer.created_at, newer.id);
