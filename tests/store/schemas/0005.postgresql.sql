CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.contents (
    revision text NOT NULL,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    fingerprint text NOT NULL,
    digest text,
    state text DEFAULT 'new'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    reason text,
    duration double precision,
    width integer,
    height integer,
    artwork text DEFAULT 'waiting'::text NOT NULL,
    artwork_reason text,
    poster text,
    blurhash text,
    texts text DEFAULT 'waiting'::text NOT NULL,
    sprites text,
    facts text,
    CONSTRAINT ck_contents_artwork CHECK ((artwork = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text, 'none'::text]))),
    CONSTRAINT ck_contents_state CHECK ((state = ANY (ARRAY['new'::text, 'probed'::text, 'unreadable'::text]))),
    CONSTRAINT ck_contents_texts CHECK ((texts = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text, 'none'::text])))
);

CREATE TABLE public.folders (
    number bigint NOT NULL,
    path bytea NOT NULL,
    place text NOT NULL,
    parent bigint,
    name_key bytea NOT NULL,
    missing_since bigint
);

CREATE SEQUENCE public.folders_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.folders_number_seq OWNED BY public.folders.number;

CREATE TABLE public.library (
    key text NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.playheads (
    "user" text NOT NULL,
    video bigint NOT NULL,
    "position" double precision NOT NULL,
    duration double precision,
    watched boolean DEFAULT false NOT NULL,
    plays integer DEFAULT 0 NOT NULL,
    updated_at bigint NOT NULL
);

CREATE TABLE public.presentations (
    revision text NOT NULL,
    packed bytea NOT NULL
);

CREATE TABLE public.subtitles (
    number bigint NOT NULL,
    video bigint,
    revision text,
    track integer,
    path bytea,
    signature text,
    codec text NOT NULL,
    language text,
    label text DEFAULT ''::text NOT NULL,
    forced boolean DEFAULT false NOT NULL,
    hearing_impaired boolean DEFAULT false NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text,
    vtt text,
    original text,
    CONSTRAINT ck_subtitles_source CHECK (((video IS NULL) <> (revision IS NULL))),
    CONSTRAINT ck_subtitles_state CHECK ((state = ANY (ARRAY['waiting'::text, 'made'::text, 'failed'::text])))
);

CREATE SEQUENCE public.subtitles_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.subtitles_number_seq OWNED BY public.subtitles.number;

CREATE TABLE public.title_entries (
    title_file bigint NOT NULL,
    "position" integer NOT NULL,
    path bytea NOT NULL,
    place text NOT NULL
);

CREATE TABLE public.title_files (
    number bigint NOT NULL,
    folder bigint NOT NULL,
    path bytea NOT NULL,
    place text NOT NULL,
    signature text NOT NULL,
    title text,
    reason text
);

CREATE SEQUENCE public.title_files_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.title_files_number_seq OWNED BY public.title_files.number;

CREATE TABLE public.videos (
    number bigint NOT NULL,
    id text NOT NULL,
    path bytea NOT NULL,
    place text,
    folder bigint NOT NULL,
    sort_key bytea NOT NULL,
    title text NOT NULL,
    own_title text,
    title_key bytea NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    tags text DEFAULT '[]'::text NOT NULL,
    words text DEFAULT ''::text NOT NULL,
    revision text NOT NULL,
    signature text NOT NULL,
    size bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    duration double precision DEFAULT '0'::double precision NOT NULL,
    added_at bigint NOT NULL,
    missing_since bigint,
    family text,
    rank integer DEFAULT 0 NOT NULL,
    part_of bigint,
    shared_title text,
    fingerprint text DEFAULT ''::text NOT NULL
);

CREATE SEQUENCE public.videos_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.videos_number_seq OWNED BY public.videos.number;

CREATE TABLE public.viewings (
    number bigint NOT NULL,
    "user" text NOT NULL,
    video bigint NOT NULL,
    started_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    first double precision NOT NULL,
    last double precision NOT NULL
);

CREATE SEQUENCE public.viewings_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.viewings_number_seq OWNED BY public.viewings.number;

ALTER TABLE ONLY public.folders ALTER COLUMN number SET DEFAULT nextval('public.folders_number_seq'::regclass);

ALTER TABLE ONLY public.subtitles ALTER COLUMN number SET DEFAULT nextval('public.subtitles_number_seq'::regclass);

ALTER TABLE ONLY public.title_files ALTER COLUMN number SET DEFAULT nextval('public.title_files_number_seq'::regclass);

ALTER TABLE ONLY public.videos ALTER COLUMN number SET DEFAULT nextval('public.videos_number_seq'::regclass);

ALTER TABLE ONLY public.viewings ALTER COLUMN number SET DEFAULT nextval('public.viewings_number_seq'::regclass);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.contents
    ADD CONSTRAINT pk_contents PRIMARY KEY (revision);

ALTER TABLE ONLY public.folders
    ADD CONSTRAINT pk_folders PRIMARY KEY (number);

ALTER TABLE ONLY public.library
    ADD CONSTRAINT pk_library PRIMARY KEY (key);

ALTER TABLE ONLY public.playheads
    ADD CONSTRAINT pk_playheads PRIMARY KEY ("user", video);

ALTER TABLE ONLY public.presentations
    ADD CONSTRAINT pk_presentations PRIMARY KEY (revision);

ALTER TABLE ONLY public.subtitles
    ADD CONSTRAINT pk_subtitles PRIMARY KEY (number);

ALTER TABLE ONLY public.title_entries
    ADD CONSTRAINT pk_title_entries PRIMARY KEY (title_file, "position");

ALTER TABLE ONLY public.title_files
    ADD CONSTRAINT pk_title_files PRIMARY KEY (number);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT pk_videos PRIMARY KEY (number);

ALTER TABLE ONLY public.viewings
    ADD CONSTRAINT pk_viewings PRIMARY KEY (number);

ALTER TABLE ONLY public.folders
    ADD CONSTRAINT uq_folders_place UNIQUE (place);

ALTER TABLE ONLY public.title_files
    ADD CONSTRAINT uq_title_files_place UNIQUE (place);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT uq_videos_id UNIQUE (id);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT uq_videos_place UNIQUE (place);

CREATE INDEX ix_contents_fingerprint ON public.contents USING btree (fingerprint);

CREATE INDEX ix_contents_to_draw ON public.contents USING btree (revision) WHERE ((state = 'probed'::text) AND (artwork = 'waiting'::text));

CREATE INDEX ix_contents_to_extract ON public.contents USING btree (revision) WHERE ((state = 'probed'::text) AND (texts = 'waiting'::text));

CREATE INDEX ix_contents_to_probe ON public.contents USING btree (revision) WHERE (state = 'new'::text);

CREATE INDEX ix_contents_unreadable ON public.contents USING btree (revision) WHERE (state = 'unreadable'::text);

CREATE INDEX ix_folders_inside ON public.folders USING btree (parent, name_key, number);

CREATE INDEX ix_playheads_recent ON public.playheads USING btree ("user", updated_at);

CREATE INDEX ix_playheads_video ON public.playheads USING btree (video);

CREATE INDEX ix_subtitles_revision ON public.subtitles USING btree (revision);

CREATE INDEX ix_subtitles_to_make ON public.subtitles USING btree (number) WHERE (state = 'waiting'::text);

CREATE INDEX ix_subtitles_video ON public.subtitles USING btree (video);

CREATE INDEX ix_title_entries_place ON public.title_entries USING btree (place);

CREATE INDEX ix_title_files_folder ON public.title_files USING btree (folder);

CREATE INDEX ix_videos_by_added ON public.videos USING btree (added_at, number) WHERE ((missing_since IS NULL) AND (part_of IS NULL));

CREATE INDEX ix_videos_by_duration ON public.videos USING btree (duration, number) WHERE ((missing_since IS NULL) AND (part_of IS NULL));

CREATE INDEX ix_videos_by_modified ON public.videos USING btree (mtime_ns, number) WHERE ((missing_since IS NULL) AND (part_of IS NULL));

CREATE INDEX ix_videos_by_name ON public.videos USING btree (sort_key, number) WHERE ((missing_since IS NULL) AND (part_of IS NULL));

CREATE INDEX ix_videos_by_size ON public.videos USING btree (size, number) WHERE ((missing_since IS NULL) AND (part_of IS NULL));

CREATE INDEX ix_videos_by_title ON public.videos USING btree (title_key, number) WHERE ((missing_since IS NULL) AND (part_of IS NULL));

CREATE INDEX ix_videos_family ON public.videos USING btree (family, rank, number) WHERE (family IS NOT NULL);

CREATE INDEX ix_videos_fingerprint_added_at ON public.videos USING btree (fingerprint, added_at);

CREATE INDEX ix_videos_in_folder ON public.videos USING btree (folder, sort_key, number);

CREATE INDEX ix_videos_missing ON public.videos USING btree (missing_since, number) WHERE (missing_since IS NOT NULL);

CREATE INDEX ix_videos_missing_by_content ON public.videos USING btree (fingerprint, revision, missing_since, number) WHERE (missing_since IS NOT NULL);

CREATE INDEX ix_videos_part_of ON public.videos USING btree (part_of, number) WHERE (part_of IS NOT NULL);

CREATE INDEX ix_videos_revision_added_at ON public.videos USING btree (revision, added_at);

CREATE INDEX ix_viewings_recent ON public.viewings USING btree ("user", updated_at, number);

CREATE INDEX ix_viewings_video ON public.viewings USING btree (video);

CREATE INDEX videos_search ON public.videos USING gin (array_to_tsvector(array_remove(string_to_array(words, ' '::text), ''::text)));

ALTER TABLE ONLY public.folders
    ADD CONSTRAINT fk_folders_parent_folders FOREIGN KEY (parent) REFERENCES public.folders(number);

ALTER TABLE ONLY public.playheads
    ADD CONSTRAINT fk_playheads_video_videos FOREIGN KEY (video) REFERENCES public.videos(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.presentations
    ADD CONSTRAINT fk_presentations_revision_contents FOREIGN KEY (revision) REFERENCES public.contents(revision) ON DELETE CASCADE;

ALTER TABLE ONLY public.subtitles
    ADD CONSTRAINT fk_subtitles_revision_contents FOREIGN KEY (revision) REFERENCES public.contents(revision) ON DELETE CASCADE;

ALTER TABLE ONLY public.subtitles
    ADD CONSTRAINT fk_subtitles_video_videos FOREIGN KEY (video) REFERENCES public.videos(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.title_entries
    ADD CONSTRAINT fk_title_entries_title_file_title_files FOREIGN KEY (title_file) REFERENCES public.title_files(number) ON DELETE CASCADE;

ALTER TABLE ONLY public.title_files
    ADD CONSTRAINT fk_title_files_folder_folders FOREIGN KEY (folder) REFERENCES public.folders(number);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT fk_videos_folder_folders FOREIGN KEY (folder) REFERENCES public.folders(number);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT fk_videos_part_of_videos FOREIGN KEY (part_of) REFERENCES public.videos(number);

ALTER TABLE ONLY public.videos
    ADD CONSTRAINT fk_videos_revision_contents FOREIGN KEY (revision) REFERENCES public.contents(revision);

ALTER TABLE ONLY public.viewings
    ADD CONSTRAINT fk_viewings_video_videos FOREIGN KEY (video) REFERENCES public.videos(number) ON DELETE CASCADE;

INSERT INTO alembic_version VALUES ('0005');
