import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Reads sets of properties, one per line as "k=v k=v", and prints for each what Java's producer makes of it:
 * "ConfigException", or the settings that its rules may change.
 */
public class Matrix {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(outcome(line));
        }
        System.exit(0);
    }

    private static String outcome(String line) throws Exception {
        Properties p = new Properties();
        p.put("bootstrap.servers", "127.0.0.1:1");
        p.put("key.serializer", ByteArraySerializer.class.getName());
        p.put("value.serializer", ByteArraySerializer.class.getName());
        for (String pair : line.trim().split(" ")) {
            if (!pair.isEmpty()) {
                p.put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
            }
        }
        KafkaProducer<byte[], byte[]> producer;
        try {
            producer = new KafkaProducer<>(p);
        } catch (Exception e) {
            for (Throwable t = e; t != null; t = t.getCause()) {
                if (t instanceof ConfigException) {
                    return "ConfigException";
                }
            }
            throw e;
        }
        ProducerConfig c = (ProducerConfig) field(producer, "producerConfig");
        Object delivery = field(field(producer, "accumulator"), "deliveryTimeoutMs");
        producer.close(Duration.ZERO);
        String acks = c.getString("acks");
        return "enable.idempotence=" + c.getBoolean("enable.idempotence")
            + " acks=" + (acks.equals("-1") ? "all" : acks)
            + " delivery.timeout.ms=" + delivery
            + " reconnect.backoff.max.ms=" + c.getLong("reconnect.backoff.max.ms");
    }

    private static Object field(Object of, String name) throws Exception {
        Field f = of.getClass().getDeclaredField(name);
        f.setAccessible(true);
        return f.get(of);
    }
}
