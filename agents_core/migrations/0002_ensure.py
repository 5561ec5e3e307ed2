from django.db import migrations

# Lets a pipelined transaction give up by itself: nobody waits for the answer to one statement before sending the next.
CREATE = """
CREATE FUNCTION ensure(ok boolean, otherwise text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF ok IS NOT TRUE THEN
        RAISE EXCEPTION '%', otherwise USING ERRCODE = 'serialization_failure';
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("agents_core", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION ensure(boolean, text)")]
