CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE contents (
	revision TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	digest TEXT, 
	state TEXT DEFAULT 'new' NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	reason TEXT, 
	duration DOUBLE, 
	width INTEGER, 
	height INTEGER, 
	artwork TEXT DEFAULT 'waiting' NOT NULL, 
	artwork_reason TEXT, 
	poster TEXT, 
	blurhash TEXT, 
	texts TEXT DEFAULT 'waiting' NOT NULL, 
	sprites TEXT, 
	facts TEXT, 
	CONSTRAINT pk_contents PRIMARY KEY (revision), 
	CONSTRAINT ck_contents_state CHECK (state IN ('new', 'probed', 'unreadable')), 
	CONSTRAINT ck_contents_artwork CHECK (artwork IN ('waiting', 'made', 'failed', 'none')), 
	CONSTRAINT ck_contents_texts CHECK (texts IN ('waiting', 'made', 'failed', 'none'))
);

CREATE INDEX ix_contents_fingerprint ON contents (fingerprint);

CREATE INDEX ix_contents_to_probe ON contents (revision) WHERE state = 'new';

CREATE INDEX ix_contents_unreadable ON contents (revision) WHERE state = 'unreadable';

CREATE TABLE folders (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	path BLOB NOT NULL, 
	place TEXT NOT NULL, 
	parent BIGINT, 
	name_key BLOB NOT NULL, 
	missing_since BIGINT, 
	CONSTRAINT uq_folders_place UNIQUE (place), 
	CONSTRAINT fk_folders_parent_folders FOREIGN KEY(parent) REFERENCES folders (number)
);

CREATE INDEX ix_folders_inside ON folders (parent, name_key, number);

CREATE TABLE videos (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	path BLOB NOT NULL, 
	place TEXT, 
	folder BIGINT NOT NULL, 
	sort_key BLOB NOT NULL, 
	title TEXT NOT NULL, 
	own_title TEXT, 
	title_key BLOB NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	tags TEXT DEFAULT '[]' NOT NULL, 
	words TEXT DEFAULT '' NOT NULL, 
	revision TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	duration DOUBLE DEFAULT '0' NOT NULL, 
	added_at BIGINT NOT NULL, 
	missing_since BIGINT, family TEXT, rank INTEGER DEFAULT '0' NOT NULL, part_of BIGINT CONSTRAINT fk_videos_part_of_videos REFERENCES videos (number), shared_title TEXT, fingerprint TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT uq_videos_id UNIQUE (id), 
	CONSTRAINT uq_videos_place UNIQUE (place), 
	CONSTRAINT fk_videos_folder_folders FOREIGN KEY(folder) REFERENCES folders (number), 
	CONSTRAINT fk_videos_revision_contents FOREIGN KEY(revision) REFERENCES contents (revision)
);

CREATE INDEX ix_videos_in_folder ON videos (folder, sort_key, number);

CREATE INDEX ix_videos_missing ON videos (missing_since, number) WHERE missing_since IS NOT NULL;

CREATE TABLE subtitles (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	video BIGINT, 
	revision TEXT, 
	track INTEGER, 
	path BLOB, 
	signature TEXT, 
	codec TEXT NOT NULL, 
	language TEXT, 
	label TEXT DEFAULT '' NOT NULL, 
	forced BOOLEAN DEFAULT 0 NOT NULL, 
	hearing_impaired BOOLEAN DEFAULT 0 NOT NULL, 
	is_default BOOLEAN DEFAULT 0 NOT NULL, 
	state TEXT DEFAULT 'waiting' NOT NULL, 
	reason TEXT, 
	vtt TEXT, 
	original TEXT, 
	CONSTRAINT fk_subtitles_revision_contents FOREIGN KEY(revision) REFERENCES contents (revision) ON DELETE CASCADE, 
	CONSTRAINT fk_subtitles_video_videos FOREIGN KEY(video) REFERENCES videos (number) ON DELETE CASCADE, 
	CONSTRAINT ck_subtitles_state CHECK (state IN ('waiting', 'made', 'failed')), 
	CONSTRAINT ck_subtitles_source CHECK ((video IS NULL) <> (revision IS NULL))
);

CREATE INDEX ix_subtitles_video ON subtitles (video);

CREATE INDEX ix_subtitles_revision ON subtitles (revision);

CREATE INDEX ix_subtitles_to_make ON subtitles (number) WHERE state = 'waiting';

CREATE TABLE playheads (
	user TEXT NOT NULL, 
	video BIGINT NOT NULL, 
	position DOUBLE NOT NULL, 
	duration DOUBLE, 
	watched BOOLEAN DEFAULT 0 NOT NULL, 
	plays INTEGER DEFAULT '0' NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_playheads PRIMARY KEY (user, video), 
	CONSTRAINT fk_playheads_video_videos FOREIGN KEY(video) REFERENCES videos (number) ON DELETE CASCADE
);

CREATE INDEX ix_playheads_video ON playheads (video);

CREATE INDEX ix_playheads_recent ON playheads (user, updated_at);

CREATE TABLE viewings (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	user TEXT NOT NULL, 
	video BIGINT NOT NULL, 
	started_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	first DOUBLE NOT NULL, 
	last DOUBLE NOT NULL, 
	CONSTRAINT fk_viewings_video_videos FOREIGN KEY(video) REFERENCES videos (number) ON DELETE CASCADE
);

CREATE INDEX ix_viewings_video ON viewings (video);

CREATE INDEX ix_viewings_recent ON viewings (user, updated_at, number);

CREATE TABLE library (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_library PRIMARY KEY ("key")
);

CREATE VIRTUAL TABLE videos_search USING fts5 (
    words, content='videos', content_rowid='number',
    tokenize='ascii', detail=none, columnsize=0, prefix='1 2 3'
);

CREATE TRIGGER videos_search_inserted AFTER INSERT ON videos BEGIN
    INSERT INTO videos_search (rowid, words) VALUES (new.number, new.words);
END;

CREATE TRIGGER videos_search_deleted AFTER DELETE ON videos BEGIN
    INSERT INTO videos_search (videos_search, rowid, words) VALUES ('delete', old.number, old.words);
END;

CREATE TRIGGER videos_search_updated AFTER UPDATE OF number, words ON videos
WHEN old.words IS NOT new.words OR old.number IS NOT new.number BEGIN
    INSERT INTO videos_search (videos_search, rowid, words) VALUES ('delete', old.number, old.words);
    INSERT INTO videos_search (rowid, words) VALUES (new.number, new.words);
END;

CREATE TABLE presentations (
	revision TEXT NOT NULL, 
	packed BLOB NOT NULL, 
	CONSTRAINT pk_presentations PRIMARY KEY (revision), 
	CONSTRAINT fk_presentations_revision_contents FOREIGN KEY(revision) REFERENCES contents (revision) ON DELETE CASCADE
);

CREATE INDEX ix_videos_family ON videos (family, rank, number) WHERE family IS NOT NULL;

CREATE INDEX ix_videos_part_of ON videos (part_of, number) WHERE part_of IS NOT NULL;

CREATE TABLE title_files (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	folder BIGINT NOT NULL, 
	path BLOB NOT NULL, 
	place TEXT NOT NULL, 
	signature TEXT NOT NULL, 
	title TEXT, 
	reason TEXT, 
	CONSTRAINT fk_title_files_folder_folders FOREIGN KEY(folder) REFERENCES folders (number), 
	CONSTRAINT uq_title_files_place UNIQUE (place)
);

CREATE INDEX ix_title_files_folder ON title_files (folder);

CREATE TABLE title_entries (
	title_file BIGINT NOT NULL, 
	position INTEGER NOT NULL, 
	path BLOB NOT NULL, 
	place TEXT NOT NULL, 
	CONSTRAINT pk_title_entries PRIMARY KEY (title_file, position), 
	CONSTRAINT fk_title_entries_title_file_title_files FOREIGN KEY(title_file) REFERENCES title_files (number) ON DELETE CASCADE
);

CREATE INDEX ix_title_entries_place ON title_entries (place);

CREATE INDEX ix_videos_by_name ON videos (sort_key, number) WHERE missing_since IS NULL AND part_of IS NULL;

CREATE INDEX ix_videos_by_title ON videos (title_key, number) WHERE missing_since IS NULL AND part_of IS NULL;

CREATE INDEX ix_videos_by_added ON videos (added_at, number) WHERE missing_since IS NULL AND part_of IS NULL;

CREATE INDEX ix_videos_by_modified ON videos (mtime_ns, number) WHERE missing_since IS NULL AND part_of IS NULL;

CREATE INDEX ix_videos_by_size ON videos (size, number) WHERE missing_since IS NULL AND part_of IS NULL;

CREATE INDEX ix_videos_by_duration ON videos (duration, number) WHERE missing_since IS NULL AND part_of IS NULL;

CREATE INDEX ix_videos_revision_added_at ON videos (revision, added_at);

CREATE INDEX ix_videos_fingerprint_added_at ON videos (fingerprint, added_at);

CREATE INDEX ix_videos_missing_by_content ON videos (fingerprint, revision, missing_since, number) WHERE missing_since IS NOT NULL;

CREATE INDEX ix_contents_to_draw ON contents (revision) WHERE state = 'probed' AND artwork = 'waiting';

CREATE INDEX ix_contents_to_extract ON contents (revision) WHERE state = 'probed' AND texts = 'waiting';

INSERT INTO alembic_version VALUES ('0005');
